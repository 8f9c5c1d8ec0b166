"""Bytes on a socket, as no well-behaved client sends them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

QUIET_S = 0.25


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    """Connect to an `http://` address until the end of the block."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=5) as connection:
        yield connection


def answer(connection: socket.socket, quiet_s: float = QUIET_S) -> tuple[bytes, bool]:
    """Return what comes until the server closes or says nothing for a while, and whether it closed."""
    said = b""
    connection.settimeout(5)
    try:
        while piece := connection.recv(65_536):
            said += piece
            connection.settimeout(quiet_s)
    except TimeoutError:
        return said, False
    except ConnectionResetError:
        pass
    return said, True


def exchange(address: str, sent: bytes) -> tuple[bytes, bool]:
    """Send bytes over a connection of their own, and return what is answered and whether the server closed."""
    with connected(address) as connection:
        connection.sendall(sent)
        return answer(connection)
