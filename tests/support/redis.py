"""A real redis-server of a test's own, which can be killed, restarted and held still."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port, wait_for
from tests.support.programs import needs


class RedisServer:
    """One server. What it holds is gone when it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it; returns once it answers."""
        program = needs("redis-server", "redis-server")
        flags = ["--port", str(self._port), "--save", "", "--dir", str(self._folder), "--loglevel", "warning"]
        self._process = subprocess.Popen([program, *flags], stdout=subprocess.DEVNULL)
        wait_for(self._port)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hold(self) -> None:
        """Leave its port open, and let it answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """Run a server, and end it."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
