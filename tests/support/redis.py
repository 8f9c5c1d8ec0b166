"""A Redis of a test's own, which can be killed, cut off, emptied and started again."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port, wait_for
from tests.support.programs import needs


class RedisServer:
    """A server on a free port, that writes down every command, so that it has its data again after a restart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, with the data that its folder holds."""
        command = [needs("redis-server", "redis-server"), "--port", str(self.port), "--dir", str(self.folder)]
        command += ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--loglevel", "warning"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for(self.port)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal: SIGSTOP cuts it off, SIGCONT brings it back."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None

    def empty(self) -> None:
        """Kill it and delete what it had on disk."""
        self.kill()
        for file in sorted(self.folder.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """Run one until the end of the block."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
