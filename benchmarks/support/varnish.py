"""Varnish in front, by the configuration in `deploy/`, and beside it Varnish with one static object."""

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "varnish.vcl"
STATIC = """
vcl 4.1;
backend origin { .host = "127.0.0.1"; .port = "8000"; }
sub vcl_recv { return (hash); }
sub vcl_backend_response { set beresp.ttl = 1h; return (deliver); }
"""
STARTS_WITHIN_S = 60.0


@contextmanager
def varnish(program: str, folder: Path, configuration: str, backend: int) -> Iterator[int]:
    """Run Varnish with a configuration, whose servers are all ``backend``, and give its port."""
    folder.mkdir()
    (folder / "varnish.vcl").write_text(re.sub('"800[01]"', f'"{backend}"', configuration))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["-n", str(folder / "work"), "-a", f"127.0.0.1:{port}", "-f", str(folder / "varnish.vcl")]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([program, "-F", "-s", "malloc,256m", *arguments], **silent)  # type: ignore[call-overload]
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
