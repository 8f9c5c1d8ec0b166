"""`DELETE /visitors/{id}`: erases a visitor, for whoever holds the admin token."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tessera.publishing.administration import NO_STORE, bears, problem, token_needed
from tessera.publishing.erasing import erase
from tessera.renderer.core.errors import SourceError
from tessera.renderer.settings import Settings

PATH = "/visitors/{visitor_id:path}"
MAX_BY = 200


class EraseRoute:
    """Answers with what was reached: 200 where that is all, 202 where copies are still to be reached, else 503."""

    def __init__(self, settings: Settings, token: str) -> None:
        self._settings = settings
        self._token = token

    def routes(self) -> Sequence[Route]:
        """Return what is to be mounted."""
        return [Route(PATH, self.erase, methods=["DELETE"])]

    async def erase(self, http: Request) -> JSONResponse:
        """Erase, and answer once every live worker has let go of what it remembered."""
        if not bears(http, self._token):
            return token_needed()
        visitor_id = http.path_params["visitor_id"]
        if not visitor_id:
            return problem(400, "name a visitor: DELETE /visitors/ID, the id percent-encoded")
        by = http.query_params.get("by", "")[:MAX_BY] or "admin token"
        try:
            erased = await erase(self._settings, visitor_id, by=by)
        except (OSError, SourceError):
            return problem(503, "the embedded store or the notice board cannot be written; send it again later")
        said = {
            "notice": erased.purged.notice,
            "rows": erased.rows,
            "upstream": list(erased.upstream),
            "failed": dict(erased.failed),
            "waiting": dict(erased.purged.waiting),
        }
        return JSONResponse(said, 503 if erased.failed else 202 if erased.purged.waiting else 200, NO_STORE)
