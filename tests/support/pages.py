"""A shop's web server, as far as a page needs one: its own pages and scripts, and Tessera behind the same address."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx

TYPES = {".js": "text/javascript", ".html": "text/html; charset=utf-8"}
PASSED_ON = ("content-type", "location", "set-cookie")
Page = str | Path | Callable[[], Iterable[str]]
"""A page's text, the file that has it, or what makes it piece by piece when it is asked for."""


@contextmanager
def shop(tessera: str, pages: Mapping[str, Page]) -> Iterator[str]:
    """Serve until the end of the block; gives the address, without a slash at its end. ``pages`` are by path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            if page is None:
                self._forward()
            elif isinstance(page, Path):
                self._answer(200, [("content-type", TYPES[page.suffix])], [page.read_bytes()])
            else:
                pieces = [page] if isinstance(page, str) else page()
                self._answer(200, [("content-type", TYPES[".html"])], (piece.encode() for piece in pieces))

        def _forward(self) -> None:
            sent = {name: value for name, value in self.headers.items() if name.lower() in ("cookie", "accept")}
            try:
                reply = httpx.get(tessera + self.path, headers=sent)
            except httpx.HTTPError:
                self._answer(502, [("content-type", TYPES[".html"])], [b"<h1>502 Bad Gateway</h1>"])
            else:
                passed_on = [(name, value) for name, value in reply.headers.multi_items() if name in PASSED_ON]
                self._answer(reply.status_code, passed_on, [reply.content])

        def _answer(self, status: int, headers: Sequence[tuple[str, str]], pieces: Iterable[bytes]) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):  # whoever asked has gone
                for piece in pieces:
                    self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
