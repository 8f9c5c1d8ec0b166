"""On the wire, before a real server: request smuggling, oversized requests, slow clients."""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.security.shop import shop
from tests.security.wire import PATIENCE_S, answer, connected, exchange
from tests.support.client import SECRET
from tests.support.served import served

REQUEST_S = 0.4
MAX_HEAD_BYTES = 20_000
HIDDEN = b"GET /fragments/home/same HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /fragments HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /fragments/home/echo HTTP/1.1\r\nHost: x\r\n"


@contextmanager
def serving(folders: pytest.TempPathFactory, request_s: float) -> Iterator[str]:
    """Serve the shop to whoever takes no longer for a request."""
    site = shop(folders.mktemp("site"))
    (site / "tessera.toml").write_text(
        f'[site]\nlocales = ["en", "de"]\n[server]\nrequest_s = {request_s}\nmax_head_bytes = {MAX_HEAD_BYTES}\n'
    )
    with served(folders.mktemp("state"), "--site", str(site), environment={"TESSERA_SECRET": SECRET}) as address:
        yield address


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that is patient: whom it lets go, it does so for what they sent."""
    with serving(tmp_path_factory, 10 * PATIENCE_S) as address:
        yield address


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory, REQUEST_S) as address:
        yield address


REFUSED = {
    "a length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks and a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}" + HIDDEN,
    "two equal lengths": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + HIDDEN,
    "a list of lengths": POST + b"Content-Length: 2, 40\r\n\r\n{}" + HIDDEN,
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\n{}" + HIDDEN,
    "a negative length": POST + b"Content-Length: -2\r\n\r\n{}" + HIDDEN,
    "a length in hex": POST + b"Content-Length: 0x2\r\n\r\n{}" + HIDDEN,
    "a length too long": POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}" + HIDDEN,
    "an empty length": POST + b"Content-Length: \r\n\r\n{}" + HIDDEN,
    "a length before a blank": POST + b"Content-Length : 2\r\n\r\n{}" + HIDDEN,
    "chunks before a blank": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a folded header": POST + b"X: a\r\n Content-Length: 40\r\nTransfer-Encoding:\r\n chunked\r\n\r\n" + HIDDEN,
    "a folded first header": GET.partition(b"Host")[0] + b" Host: x\r\n\r\n" + HIDDEN,
    "a chunk size that is none": POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n" + HIDDEN,
    "a chunk size with a sign": POST + b"Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n" + HIDDEN,
    "a chunk size in C": POST + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n" + HIDDEN,
    "a chunk size too large": POST
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"f" * 40
    + b"\r\n{}\r\n0\r\n\r\n"
    + HIDDEN,
    "a chunk longer than said": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n" + HIDDEN,
    "a chunk's lone newline": POST + b"Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n" + HIDDEN,
    "a NUL in a header": GET + b"X: a\x00b\r\n\r\n" + HIDDEN,
    "a lone carriage return": GET + b"X: a\rGET /fragments/home/same HTTP/1.1\r\n\r\n" + HIDDEN,
    "no colon": GET + b"Transfer-Encoding chunked\r\n\r\n" + HIDDEN,
    "no name": GET + b": x\r\n\r\n" + HIDDEN,
    "a blank in a name": GET + b"Transfer Encoding: chunked\r\n\r\n" + HIDDEN,
    "a version to come": b"GET /fragments/home/echo HTTP/9.9\r\nHost: x\r\n\r\n" + HIDDEN,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + HIDDEN,
    "a path that is no ASCII": b"GET /fragments/home/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
    "no path": b"GET  HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
    "a tunnel": b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
    "a method that is none": b"G\x01T /fragments/home/echo HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
}


@pytest.mark.parametrize("shape", REFUSED)
def test_a_request_that_proxies_may_read_otherwise_is_refused_and_the_connection_closed(
    address: str, shape: str
) -> None:
    said, closed = exchange(address, REFUSED[shape])
    assert closed
    assert b"same" not in said  # what is hidden behind it is no request
    assert said.count(b"HTTP/1.1 ") <= 1
    assert said.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ", b"HTTP/1.1 405 ")) or said == b""


SWALLOWED = {
    "a body of a GET": GET + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a body nobody reads": b"POST /visitor HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a body of what is not there": b"POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n",
    "an extension of a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n0;GET /fragments/home/same\r\n\r\n",
    "a trailer": POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 40\r\nHost: y\r\n\r\n",
    "an upgrade": GET + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x\r\n\r\n" + HIDDEN,
}


@pytest.mark.parametrize("shape", SWALLOWED)
def test_what_stands_in_a_body_is_no_request(address: str, shape: str) -> None:
    said, _ = exchange(address, SWALLOWED[shape])
    assert said.count(b"HTTP/1.1 ") == 1
    assert b"same" not in said
    assert not said.startswith(b"HTTP/1.1 5")


def test_a_request_of_http_0_9_is_answered_alone(address: str) -> None:
    said, closed = exchange(address, b"GET /fragments/home/echo\r\nHost: x\r\n\r\n" + HIDDEN)
    assert closed
    assert said.count(b"HTTP/1.1 ") == 1
    assert b"same" not in said


def test_requests_that_are_well_formed_are_answered_in_turn(address: str) -> None:
    said, _ = exchange(address, HIDDEN + GET + b"\r\n" + HIDDEN)
    assert said.count(b"HTTP/1.1 200 OK") == 3
    assert said.count(b"<b>same</b>") == 2


WAYS = {
    "as it is": HIDDEN,
    "with a header that nobody hears": HIDDEN[:-2] + b"X: a\r\n\r\n",
    "with no body, by its length": HIDDEN[:-2] + b"Content-Length: 0\r\n\r\n",
    "with a cart that nobody signed": HIDDEN[:-2] + b"X-Tessera-Cart: x\r\n\r\n",
    "with a path encoded": HIDDEN.replace(b"home", b"%68ome"),
    "to an address written out": HIDDEN.replace(b"GET /", b"GET http://x/"),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_bytes_are_the_same_whichever_way_they_go(address: str, way: str) -> None:
    exchange(address, HIDDEN)
    usual, _ = exchange(address, HIDDEN)
    said, closed = exchange(address, WAYS[way])
    assert not closed
    assert dated(said) == dated(usual)


def dated(said: bytes) -> list[bytes]:
    """What was said, line by line in no order, but for the moment."""
    return sorted(line for line in said.split(b"\r\n") if not line.startswith(b"date: "))


@pytest.mark.parametrize("length", [b"Content-Length: 1\r\n\r\nx", b"Transfer-Encoding: chunked\r\n\r\nno chunk\r\n"])
def test_a_request_has_one_answer_whatever_its_body_is(address: str, length: bytes) -> None:
    exchange(address, HIDDEN)
    said, _ = exchange(address, HIDDEN[:-2] + length)
    assert said.count(b"HTTP/1.1 ") == 1


OVERSIZED = {
    "a header": GET + b"X: " + b"a" * 3_000_000,
    "a cookie": GET + b"Cookie: tessera_visitor=" + b"a" * 3_000_000,
    "headers": GET + b"X: a\r\n" * 500_000,
    "a path": b"GET /fragments/home/" + b"a" * 3_000_000,
    "a query": b"GET /fragments/home/echo?q=" + b"a" * 3_000_000,
    "a line before it": b"\r\n" * 20 + b"A" * 3_000_000,
}


@pytest.mark.parametrize("what", OVERSIZED)
def test_a_head_without_end_is_cut_off(address: str, what: str) -> None:
    with connected(address) as connection:
        try:
            connection.sendall(OVERSIZED[what])
            said, closed = answer(address, connection)
        except ConnectionError:  # let go while we were still sending
            said, closed = b"", True
    assert closed
    assert said == b"" or said.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))
    assert httpx.get(f"{address}/fragments/home/same").status_code == 200


@pytest.mark.parametrize("what", ["cookie", "x", "user-agent", "accept-language", "x-tessera-cart", "if-none-match"])
def test_a_header_that_is_only_large_is_answered(address: str, what: str) -> None:
    reply = httpx.get(f"{address}/fragments/home/name", headers={what: "a=b;" * 3_000})
    assert reply.status_code == 200


@pytest.mark.parametrize("path", ["/fragments", "/exposures", "/events", "/visitor"])
def test_a_body_that_is_too_large_is_refused(address: str, path: str) -> None:
    reply = httpx.post(address + path, content=b"x" * 5_000_000)
    assert reply.status_code in (403, 413)


@pytest.mark.parametrize("path", ["/fragments", "/exposures", "/events", "/visitor"])
def test_a_body_is_no_head_however_late_it_comes(address: str, path: str) -> None:
    head = (
        POST.replace(POST.split(b" ")[1], path.encode(), 1) + b"Content-Length: 200000\r\nExpect: 100-continue\r\n\r\n"
    )
    with connected(address) as connection:
        connection.sendall(head)
        said = connection.recv(65_536)  # by then somebody has looked at the headers
        assert said.startswith((b"HTTP/1.1 100 ", b"HTTP/1.1 403 ", b"HTTP/1.1 4"))
        for _ in range(4):
            connection.sendall(b"x" * 50_000)
        said += connection.recv(65_536) if said.startswith(b"HTTP/1.1 100 ") else b""
    assert b" 431 " not in said


SLOW: dict[str, tuple[bytes, bytes]] = {
    "says nothing": (b"", b""),
    "drips its headers": (GET, b"X: a\r\n"),
    "drips its path": (b"GET /", b"a"),
    "drips its body": (POST + b"Content-Length: 60000\r\n\r\n", b"x"),
    "drips its chunks": (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "drips a body nobody reads": (b"POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n", b"x"),
    "drips after an answer": (HIDDEN + GET, b"X: a\r\n"),
}


@pytest.mark.parametrize("how", SLOW)
def test_who_takes_forever_is_let_go_while_others_are_served(hurried: str, how: str) -> None:
    begun, drop = SLOW[how]
    with ExitStack() as many:
        slow = [many.enter_context(connected(hurried)) for _ in range(20)]
        for connection in slow:
            connection.sendall(begun)
        until = time.monotonic() + 2 * REQUEST_S + 2
        while slow and time.monotonic() < until:
            slow = [connection for connection in slow if still_there(connection, drop)]
            began = time.monotonic()
            assert httpx.get(f"{hurried}/fragments/home/same").text == "<b>same</b>"
            assert time.monotonic() - began < 1.5
            select.select(slow, [], [], 0.1)  # until one of them is let go, or it is time to drip again
    assert slow == []


def still_there(connection: socket.socket, drop: bytes) -> bool:
    """Drip, and tell whether the server still holds the connection."""
    connection.setblocking(False)
    try:
        connection.sendall(drop)
        while connection.recv(65_536):
            pass
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def is_held(connection: socket.socket) -> bool:
    """Tell whether the server holds a connection, which full buffers hide from a client. Linux only: `/proc` tells."""
    client, server = (f":{end[1]:04X}" for end in (connection.getsockname(), connection.getpeername()))
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        if local.endswith(server) and remote.endswith(client):
            return state == "01"  # TCP_ESTABLISHED
    return False


def test_who_does_not_take_an_answer_is_let_go(hurried: str) -> None:
    many = 30
    large = b"GET /fragments/home/large HTTP/1.1\r\nHost: x\r\n\r\n"
    size = len(exchange(hurried, large)[0])
    with connected(hurried) as connection:
        connection.sendall(large * many)
        until = time.monotonic() + 2 * REQUEST_S + 2
        while is_held(connection):
            assert time.monotonic() < until
            time.sleep(0.05)
        said, closed = answer(hurried, connection)
    assert closed
    assert size < len(said) < many * size


def test_who_takes_an_answer_slowly_gets_it(hurried: str) -> None:
    large = b"GET /fragments/home/large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    size = len(exchange(hurried, large * 1)[0])
    with connected(hurried) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        connection.sendall(large)
        said = 0
        while piece := connection.recv(size // 20):
            said += len(piece)
            time.sleep(REQUEST_S / 5)
    assert said == size


def test_who_sends_request_after_request_and_waits_for_none_is_let_go(address: str) -> None:
    with connected(address) as connection:
        try:
            for _ in range(50):
                connection.sendall(HIDDEN * 1_000)
            closed = answer(address, connection)[1]
        except ConnectionError:
            closed = True
    assert closed
    assert httpx.get(f"{address}/fragments/home/same").status_code == 200


def test_who_keeps_a_connection_busy_keeps_it(hurried: str) -> None:
    with httpx.Client() as client:
        used = set()
        until = time.monotonic() + 3 * REQUEST_S
        while time.monotonic() < until:
            reply = client.get(f"{hurried}/fragments/home/same")
            used.add(reply.extensions["network_stream"].get_extra_info("client_addr"))
            time.sleep(0.05)
    assert len(used) == 1
