"""An answer's head and the first of its body leave in one write, so that no proxy has a head whose body never comes.

Uvicorn writes them one after the other. A proxy passes a head on as soon as it has it, and from then on cannot ask
another server: when this one is killed between the two writes, a visitor is left with half an answer, where a request
that had no answer at all would have been asked again ("ngx_http_proxy_module", `proxy_next_upstream`).
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class Joining(asyncio.Transport):
    """What one answer is written to until its body begins. Pages that are streamed tell no length: nothing waits."""

    def __init__(self, cycle: RequestResponseCycle) -> None:
        """Stand between an answer that has not begun and the connection that it is to be written to."""
        super().__init__()
        self._cycle = cycle
        self._connection = cycle.transport
        self._head = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep a head that a body is to follow; write everything else, after the head that was kept."""
        cycle = self._cycle
        if not cycle.response_started:
            self._connection.write(data)  # 100 Continue
        elif not self._head and cycle.expected_content_length and cycle.scope["method"] != "HEAD":
            self._head = bytes(data)
        else:
            self._step_aside()
            self._connection.write(self._head + data)

    def close(self) -> None:
        """Close the connection. A head that was kept has no body any more, and nobody is told of it."""
        self._step_aside()
        self._connection.close()

    def is_closing(self) -> bool:
        """Tell whether the connection is being closed."""
        return self._connection.is_closing()

    def _step_aside(self) -> None:
        """Have the rest written past this, and leave nothing behind that points at itself."""
        self._cycle.transport = self._connection
