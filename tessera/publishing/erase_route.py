"""`DELETE /-/visitors/{id}`: erases a visitor, for whoever holds the admin token. `POST` takes a suppression back."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tessera.publishing.administration import NO_STORE, problem
from tessera.publishing.erasing import erase
from tessera.publishing.suppressing import NEEDS_SECRET, unsuppress
from tessera.renderer.core.errors import SourceError
from tessera.renderer.settings import Settings

PATH = "/visitors/{visitor_id:path}"
MAX_BY = 200
UNWRITABLE = "the embedded store or the notice board cannot be written; send it again later"


class EraseRoute:
    """Answers with what was reached: 200 where that is all, 202 where copies are still to be reached, else 503."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def routes(self) -> Sequence[Route]:
        """Return what is to be mounted."""
        return [Route(PATH, self.erase, methods=["DELETE"]), Route(PATH, self.unsuppress, methods=["POST"])]

    async def erase(self, http: Request) -> JSONResponse:
        """Erase, and answer once every live worker has let go of what it remembered: `DELETE /-/visitors/{id}`."""
        said = http.query_params.get("suppress", "false")
        if said not in ("true", "false"):
            return problem(400, "`suppress` is `true` or `false`")
        if (refusal := self._refusal(http, suppresses=said == "true")) is not None:
            return refusal
        try:
            erased = await erase(
                self._settings, http.path_params["visitor_id"], by=_by(http), suppressed=said == "true"
            )
        except (OSError, SourceError):
            return problem(503, UNWRITABLE)
        told = {
            "notice": erased.purged.notice,
            "rows": erased.rows,
            "upstream": list(erased.upstream),
            "failed": dict(erased.failed),
            "waiting": dict(erased.purged.waiting),
        }
        return JSONResponse(told, 503 if erased.failed else 202 if erased.purged.waiting else 200, NO_STORE)

    async def unsuppress(self, http: Request) -> JSONResponse:
        """Take a suppression back, and answer once every live worker knows: `POST /-/visitors/{id}?suppress=false`."""
        if http.query_params.get("suppress") != "false":
            return problem(400, "`?suppress=false` takes a suppression back; to suppress, DELETE with `?suppress=true`")
        if (refusal := self._refusal(http, suppresses=True)) is not None:
            return refusal
        try:
            waiting = await unsuppress(self._settings, http.path_params["visitor_id"], by=_by(http))
        except OSError:
            return problem(503, UNWRITABLE)
        return JSONResponse({"waiting": dict(waiting)}, 202 if waiting else 200, NO_STORE)

    def _refusal(self, http: Request, *, suppresses: bool) -> JSONResponse | None:
        if self._settings.admin_token is None:  # a port of their own is not enough for what does something
            return problem(403, "erasing needs TESSERA_ADMIN_TOKEN to be set")
        if suppresses and self._settings.secret is None:
            return problem(403, NEEDS_SECRET)
        if not http.path_params["visitor_id"]:
            return problem(400, "name a visitor: /-/visitors/ID, the id percent-encoded")
        return None


def _by(http: Request) -> str:
    return http.query_params.get("by", "")[:MAX_BY] or "admin token"
