"""Answers as they leave the server: head and body together, so that who is killed has said all of it or nothing."""

import socket
import struct
from collections.abc import Iterator

import pytest

from tests.security.shop import shop
from tests.security.wire import answer, connected
from tests.support.client import SECRET
from tests.support.served import served

DATA_SEGS_IN = 152
"""Where linux/tcp.h has `tcpi_data_segs_in` in its `struct tcp_info`: how many pieces arrived, from 4.6 on."""

ASKED = {
    "a fragment": b"GET /fragments/home/name HTTP/1.1\r\n",
    "a page": b"GET /pages/home HTTP/1.1\r\n",
    "what is not there": b"GET /fragments/home/nowhere HTTP/1.1\r\n",
    "the last on its connection": b"GET /pages/home HTTP/1.1\r\nConnection: close\r\n",
    "a head alone": b"HEAD /pages/home HTTP/1.1\r\n",
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    site = shop(tmp_path_factory.mktemp("site"))
    with served(tmp_path_factory.mktemp("state"), "--site", str(site), environment={"TESSERA_SECRET": SECRET}) as here:
        yield here


def pieces(connection: socket.socket) -> int:
    """In how many writes of a local server all came that has come: each that is small is a segment of its own."""
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, DATA_SEGS_IN + 4)
    found: int = struct.unpack_from("=I", told, DATA_SEGS_IN)[0]
    return found


def exchange(address: str, request: bytes) -> tuple[bytes, int]:
    with connected(address) as connection:
        connection.sendall(request)
        return answer(address, connection)[0], pieces(connection)


@pytest.mark.parametrize("what", ASKED)
def test_an_answer_comes_in_one_piece(address: str, what: str) -> None:
    said, came_in = exchange(address, ASKED[what] + b"Host: x\r\n\r\n")
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404" if what == "what is not there" else b"HTTP/1.1 200")
    assert (body == b"") == (what == "a head alone")
    assert came_in == 1


def test_what_waits_to_be_told_to_go_on_is_told(address: str) -> None:
    with connected(address) as connection:
        connection.sendall(b"POST /fragments HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert answer(address, connection)[0] == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert answer(address, connection)[0].startswith(b"HTTP/1.1 400")
        assert pieces(connection) == 2


def test_the_head_of_a_streamed_page_waits_for_nothing(address: str) -> None:
    said, came_in = exchange(address, b"GET /pages/home?compose=stream HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"transfer-encoding: chunked" in said
    assert said.endswith(b"\r\n0\r\n\r\n")
    assert came_in > 1
