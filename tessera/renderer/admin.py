"""The administrative routes, below `/-/`: for operators, never for visitors.

They are answered on a port of their own, or, where none is set, to whoever has the token. To anybody else it is as if
there were none.
"""

import hmac
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount
from starlette.types import Receive, Scope, Send

from tessera.renderer.guards import nothing_there

PREFIX = "/-"
NO_STORE = {"cache-control": "no-store"}


class Admin:
    """A gate before the routes; an ASGI application."""

    def __init__(self, routes: Sequence[BaseRoute], port: int | None, token: str | None) -> None:
        """With a ``port`` they are answered on that alone; with a ``token``, to whoever bears it (RFC 6750)."""
        self.routes = routes
        self._app = Starlette(routes=routes, exception_handlers={404: nothing_there})
        self._app.router.redirect_slashes = False  # as for visitors
        self._port = port
        self._token = token.encode() if token is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer as if there were nothing."""
        if self._is_hidden(scope):
            await PlainTextResponse("Not Found", 404, NO_STORE)(scope, receive, send)
        elif not self._bears_token(scope):
            challenge = {**NO_STORE, "www-authenticate": "Bearer"}
            await PlainTextResponse("A token is needed.\n", 401, challenge)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_hidden(self, scope: Scope) -> bool:
        """Tell by the socket that the request came in by, which no header can name otherwise."""
        if self._port is None:
            return self._token is None
        server = scope.get("server")
        return server is None or server[1] != self._port

    def _bears_token(self, scope: Scope) -> bool:
        if self._token is None:
            return True
        scheme, _, token = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
        return hmac.compare_digest(token.strip(), self._token) and scheme.lower() == b"bearer"


def mounted(routes: Sequence[BaseRoute], port: int | None, token: str | None) -> Mount:
    """Return the routes, behind the gate, as one that is to be mounted beside the visitors'."""
    return Mount(PREFIX, Admin(routes, port, token))
