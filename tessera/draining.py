"""Stopping without losing a request: connections stay open for a moment after nobody is accepted any more.

Uvicorn closes idle connections at once. A proxy may have written a request to one of them that has not arrived yet,
or have just connected; it would be told nothing and answer its visitor with 502.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

DRAIN_S = 0.5
"""Seconds for which an idle connection is still listened to."""


class Draining(HttpToolsProtocol):
    """Uvicorn's protocol with that. Each answer says then that it is its connection's last (RFC 9112, section 9.6)."""

    draining = False

    def shutdown(self) -> None:
        """Stop, after a moment where nothing is being answered."""
        if self.draining or (self.cycle is not None and not self.cycle.response_complete):
            super().shutdown()
        else:
            self.draining = True
            self.loop.call_later(DRAIN_S, self.shutdown)

    def on_headers_complete(self) -> None:
        """Answer what came meanwhile, and nothing after it."""
        super().on_headers_complete()
        if self.draining and self.cycle is not None:
            self.cycle.keep_alive = False
