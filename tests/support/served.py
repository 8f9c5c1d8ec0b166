"""`tessera serve`, as a user starts it: a process of its own, on a free port."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

ALONE = httpx.Limits(max_keepalive_connections=0)
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/")


def client_of(address: str = "") -> httpx.Client:
    """Return a client with a connection for each request: one that is kept may be closed just as it is used again."""
    return httpx.Client(base_url=address, limits=ALONE)


@contextmanager
def served(state_dir: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve until the end of the block; gives the address, without a slash at its end."""
    command: Sequence[str] = [
        *(sys.executable, "-P", "-m", "tessera", "serve", "--port", "0", "--state-dir", str(state_dir)),
        *arguments,
    ]
    server = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
    )
    try:
        assert server.stdout is not None
        said: list[str] = []
        for line in server.stdout:
            said.append(line)
            if found := ADDRESS.search(line):
                yield f"http://127.0.0.1:{found[1]}"
                break
        else:
            raise AssertionError("the server ended:\n" + "".join(said))
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)
