"""Whatever is sent, the answer is whole, valid, no failure of ours, and nobody else's."""

import asyncio
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.shop import SECRETS, attacked
from tests.support.client import Client

NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[ \t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
"""RFC 9110, sections 5.1 and 5.5."""

KNOWN_HEADERS = (
    "accept accept-language cookie content-length content-type host if-none-match origin sec-ch-ua-mobile "
    "sec-ch-ua-platform sec-fetch-site sec-gpc user-agent x-geo-country x-tessera-cart x-tessera-digest "
    "x-tessera-edge-secret x-tessera-visitor"
).split()
KNOWN_SEGMENTS = (
    "fragments pages context podium home same name tier echo rail link split de content fallback manifest.json visitor "
    "events exposures preview healthz assets tessera-fragment.js"
).split()
KNOWN_WORDS = [
    b"ann", b"bob", b"granted", b"tessera_consent=granted", b"tessera_visitor=ann", b"tessera_preview=x", b"; ", b"=",
    b"&", b"q=", b"n=", b"force=colours.red", b"explain", b"on_error=status", b"turbo_frame=x", b"tessera_digest=d",
    b"%", b"%ff", b"*", b'W/"', b"1", b"-1", b"9" * 40, b"de;q=0.5", b"{", b"}", b"[", b'"', b"\\u0000", b".",
    b"application/json",
]  # fmt: skip

field = st.binary(max_size=30).map(lambda raw: re.sub(rb"[\x00-\x08\x0a-\x1f\x7f]", b"", raw))
"""What a server's parser lets through: obs-text too, but no control characters."""
words = st.lists(st.sampled_from(KNOWN_WORDS) | field, max_size=6).map(b"".join)
names = st.sampled_from([name.encode() for name in KNOWN_HEADERS]) | st.from_regex(r"[a-z-]{1,10}", fullmatch=True).map(
    str.encode
)
escaped = st.binary(max_size=6).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw).encode())
segments = st.sampled_from([name.encode() for name in KNOWN_SEGMENTS]) | escaped | st.sampled_from([b"", b"..", b"."])
fragments = st.sampled_from([f"/fragments/home/{name}".encode() for name in ("same", "name", "tier", "echo", "split")])
paths = fragments | st.lists(segments, min_size=1, max_size=5).map(lambda parts: b"/" + b"/".join(parts))
queries = words.map(lambda raw: bytes(byte for byte in raw if 0x21 <= byte < 0x7F and byte != 0x23))
methods = st.sampled_from(["GET", "GET", "GET", "HEAD", "POST", "POST", "OPTIONS", "DELETE", "PROPFIND"])


class Complaints(logging.Handler):
    """Keeps what is logged with a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.kept.append(record.getMessage())


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[asyncio.Runner, Client]]:
    with asyncio.Runner() as runner:
        opened = attacked(tmp_path)
        yield runner, runner.run(opened.__aenter__())
        runner.run(opened.__aexit__(None, None, None))


async def asked(client: Client, scope: dict[str, Any], body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Send a request, check that it is answered once and wholly, and return the answer."""
    sent: list[Any] = []
    inbox = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return inbox.pop() if inbox else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await client.app(scope, receive, send)
    start, *bodies = sent
    assert start["type"] == "http.response.start"
    assert [each["type"] for each in bodies] == ["http.response.body"] * len(bodies)
    assert [each.get("more_body", False) for each in bodies] == [True] * (len(bodies) - 1) + [False]
    return start["status"], list(start["headers"]), b"".join(each.get("body", b"") for each in bodies)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(methods, paths, queries, st.lists(st.tuples(names, words), max_size=6), words)
def test_whatever_is_sent_is_answered_wholly_and_with_nobody_elses_data(
    shop: tuple[asyncio.Runner, Client],
    method: str,
    path: bytes,
    query: bytes,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
) -> None:
    runner, client = shop
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        "method": method,
        "raw_path": path,
        "path": unquote(path.decode("ascii")),
        "query_string": query,
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    }
    try:
        status, told, answer = runner.run(asked(client, scope, body))
    finally:
        logging.getLogger().removeHandler(complaints)
    assert 200 <= status < 500 or (status == 503 and b"on_error" in query)
    assert complaints.kept == []
    for name, value in told:
        assert NAME.fullmatch(name), name
        assert VALUE.fullmatch(value), value
    lengths = [int(value) for name, value in told if name == b"content-length"]
    if method != "HEAD" and status not in (204, 304):
        assert lengths in ([len(answer)], [])
    assert not any(secret.encode() in answer + repr(told).encode() for secret in SECRETS.values())
    assert b"Traceback" not in answer
