"""Bytes on a socket, as no well-behaved client sends them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

PATIENCE_S = 60.0
QUIET_S = 0.1


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    """Connect to an `http://` address until the end of the block."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=PATIENCE_S) as connection:
        yield connection


def answer(address: str, connection: socket.socket) -> tuple[bytes, bool]:
    """Return what comes until the server closes or has no more to say, and whether it closed."""
    said, silences = b"", 0
    connection.settimeout(PATIENCE_S)
    while silences < 2:
        try:
            piece = connection.recv(65_536)
        except TimeoutError:
            silences += 1
            httpx.get(f"{address}/healthz")  # it is not that the server had no time
            continue
        except ConnectionResetError:
            return said, True
        if not piece:
            return said, True
        said, silences = said + piece, 0
        connection.settimeout(QUIET_S)
    return said, False


def exchange(address: str, sent: bytes) -> tuple[bytes, bool]:
    """Send bytes over a connection of their own, and return what is answered and whether the server closed."""
    with connected(address) as connection:
        connection.sendall(sent)
        return answer(address, connection)
