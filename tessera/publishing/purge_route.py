"""`POST /purge`: a purge over HTTP, for whoever holds the admin token."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tessera.publishing.administration import NO_STORE, bears, problem, token_needed
from tessera.publishing.purging import Touched, purge
from tessera.renderer.core.labels import purged
from tessera.renderer.core.tags import EVERYTHING, Tag, problem_with
from tessera.renderer.edge import groups
from tessera.renderer.settings import Settings

PATH = "/purge"
MAX_TAGS = 1_000
MAX_BODY_BYTES = 262_144


class PurgeOrder(BaseModel):
    """The body of a purge."""

    model_config = ConfigDict(extra="forbid", strict=True)

    tags: list[str] = Field([], max_length=MAX_TAGS)
    everything: bool = False
    hard: bool = False
    by: str = Field("", max_length=200)


class PurgeRoute:
    """Answers with what was touched: 200 where that is all, 202 where something is still to be reached."""

    def __init__(self, settings: Settings, token: str) -> None:
        self._settings = settings
        self._token = token

    def routes(self) -> Sequence[Route]:
        """Return what is to be mounted."""
        return [Route(PATH, self.purge, methods=["POST"])]

    async def purge(self, http: Request) -> JSONResponse:
        """Purge, and answer once every live worker has obeyed."""
        if not bears(http, self._token):
            return token_needed()
        body = bytearray()
        async for chunk in http.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return problem(413, f"a purge has at most {MAX_BODY_BYTES:,} bytes")
        try:
            order = PurgeOrder.model_validate_json(bytes(body))
        except ValidationError:
            return problem(400, "a purge is a JSON object with tags or everything, and perhaps hard and by")
        wrong = [said for tag in order.tags if (said := problem_with(tag)) is not None]
        if wrong:
            return problem(400, "; ".join(wrong).replace("\n", ", "))
        if order.everything == bool(order.tags):
            return problem(400, "name tags, or everything")
        tags: Sequence[Tag] = (EVERYTHING,) if order.everything else tuple(dict.fromkeys(order.tags))
        try:
            touched = await purge(self._settings, tags, hard=order.hard, by=order.by or "admin token")
        except OSError:
            return problem(503, "the purge could not be put up; send it again later")
        return self._answer(touched, tags)

    def _answer(self, touched: Touched, tags: Sequence[Tag]) -> JSONResponse:
        """Tell what was touched; a cache on the way that knows groups purges by the answer (RFC 9875, section 3)."""
        said = {
            "notice": touched.notice,
            "workers": touched.workers,
            "fragments": touched.fragments,
            "downstream": list(touched.downstream),
            "waiting": dict(touched.waiting),
        }
        headers = dict(NO_STORE)
        if self._settings.edge.kind == "generic":
            named = purged(tags, self._settings.secret.get_secret_value() if self._settings.secret else "")
            headers["cache-group-invalidation"] = groups(named).decode()
        return JSONResponse(said, 202 if touched.waiting else 200, headers)
