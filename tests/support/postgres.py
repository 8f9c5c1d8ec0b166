"""A real PostgreSQL server of a test's own, on a socket in its folder."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.support.programs import needs

PORT = 5432
"""Part of the socket's name: nothing listens on it."""

WHERE = Path("/usr/lib/postgresql")
"""Where Debian keeps, by version, what only the server's own user calls."""


class PostgresServer:
    """A server that trusts whoever reaches its socket. It refuses to run as root, and is `postgres` then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"postgresql://tessera@/postgres?host={folder}&port={PORT}"
        self._data = folder / "data"

    def make(self) -> None:
        """Make its files."""
        _program("initdb")
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "--auth=trust", "--username=tessera", "--encoding=UTF8", "--no-sync", str(self._data))

    def start(self) -> None:
        """Start it; returns once it answers."""
        options = f"-k {self.folder} -p {PORT} -c listen_addresses= -c fsync=off -c max_connections=8"
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "--wait", "--pgdata", str(self._data), "--log", log, "--options", options)

    def stop(self) -> None:
        """End it at once, with all connections that it has."""
        self._run("pg_ctl", "stop", "--mode=immediate", "--pgdata", str(self._data))

    def _run(self, name: str, *arguments: str) -> None:
        command = [_program(name), *arguments]
        user = "postgres" if os.getuid() == 0 else None
        subprocess.run(command, check=True, timeout=120, cwd="/", user=user, group=user, stdout=subprocess.DEVNULL)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server until the end of the block."""
    folder = Path(mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path is short, and its user is another
    server = PostgresServer(folder)
    try:
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _program(name: str) -> str:
    """Return the path of one of its programs, of the newest version that is installed."""
    for folder in sorted(WHERE.glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    return needs(name, "postgresql")
