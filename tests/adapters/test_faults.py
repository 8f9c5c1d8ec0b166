"""Upstreams that misbehave on real sockets: a typed error in time, nothing left open, and nothing taken from others."""

import asyncio
import gzip
import ssl
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from support.faulty import BEHAVIOURS, Faulty, bomb

from tessera.adapters.client import MAX_REPLY_BYTES, Client, get_json, retry_after_s
from tessera.contracts.stand_in import Reply, StandIn
from tessera.renderer.calls import Calls, Manner
from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceTimeout, SourceTooLarge, SourceUnavailable
from tests.support.loop_time import LoopTime

DEADLINE_MS = 60_000
"""Passes when told to: what ends by itself has all the time it needs, however busy the machine."""

NEVER_OPEN = Manner(breaker_share=1.0, breaker_s=0.001)
FAILURES: dict[str, type[SourceError]] = {
    "hang": SourceTimeout,
    "drip": SourceTimeout,
    "drip_head": SourceTimeout,
    "slow": SourceTimeout,
    "reset": SourceUnavailable,
    "cut": SourceUnavailable,
    "garbage": SourceUnavailable,
    "error": SourceUnavailable,
    "busy": SourceUnavailable,
    "nonsense": SourceGarbled,
    "bomb": SourceTooLarge,
    "endless": SourceTooLarge,
    "redirect": SourceGarbled,
}


bomb()  # made before anybody waits for it


@pytest.fixture
async def upstream() -> AsyncIterator[Faulty]:
    async with Faulty(b'{"traits": {"tier": "gold"}}') as upstream:
        yield upstream


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client with a single connection, so that whatever is not given back is missed by the next call."""
    async with Client(max_connections=1, connect_s=30, read_s=300) as client:
        yield client


async def ask(client: Client, upstream: Faulty) -> object | None:
    """Ask as adapters are asked: within a deadline."""
    calls = Calls("profile", DEADLINE_MS, NEVER_OPEN)
    return await calls.run(lambda: get_json(client, "profile", upstream.url + "/ann", None))


def test_every_behaviour_is_tried() -> None:
    assert set(BEHAVIOURS) - set(FAILURES) == {"answer", "too_short"}


@pytest.mark.parametrize(("behaviour", "error"), FAILURES.items())
async def test_whatever_it_does_is_an_error_in_time_and_the_connection_is_free(
    client: Client, upstream: Faulty, monkeypatch: pytest.MonkeyPatch, behaviour: str, error: type[SourceError]
) -> None:
    time = LoopTime(monkeypatch)
    upstream.behaviour, upstream.delay_s = behaviour, DEADLINE_MS
    asked = asyncio.ensure_future(ask(client, upstream))
    await upstream.called.wait()
    if error is SourceTimeout:
        assert not asked.done()
        time.let_pass(DEADLINE_MS / 1000)
    with pytest.raises(error):
        async with asyncio.timeout(DEADLINE_MS / 1000 / 2):
            await asked
    # No redirect is followed, and nothing asked again, but by aiohttp, once, for a connection that may be too old.
    assert upstream.calls == (2 if behaviour == "reset" else 1)
    upstream.behaviour = "answer"
    assert await ask(client, upstream) == {"traits": {"tier": "gold"}}


async def test_what_is_over_in_one_answer_is_never_taken_for_the_next(client: Client, upstream: Faulty) -> None:
    upstream.behaviour = "too_short"
    answers = []
    for _ in range(4):
        try:
            answers.append(await ask(client, upstream))
        except SourceUnavailable:
            answers.append(None)
    assert {"traits": {"tier": "gold"}} in answers
    assert all(answer in (None, {"traits": {"tier": "gold"}}) for answer in answers)


@pytest.mark.parametrize("behaviour", ["bomb", "endless"])
async def test_no_reply_fills_the_memory(client: Client, upstream: Faulty, behaviour: str) -> None:
    upstream.behaviour = behaviour
    tracemalloc.start()
    with pytest.raises(SourceGarbled, match="larger than 1,000,000 bytes"):
        await get_json(client, "profile", upstream.url, None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * MAX_REPLY_BYTES


async def test_many_replies_that_are_refused_at_once_fill_no_memory_either(upstream: Faulty) -> None:
    upstream.behaviour = "bomb"
    async with Client(max_connections=20, connect_s=60, read_s=60) as client:
        tracemalloc.start()
        refused = await asyncio.gather(
            *(get_json(client, "profile", upstream.url, None) for _ in range(60)), return_exceptions=True
        )
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert {type(each) for each in refused} == {SourceTooLarge}
    assert peak < 20 * MAX_REPLY_BYTES  # those that are read and refused, and of each connection some pieces


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", b"no"), ("gzip", gzip.compress(b"{}")[:-1]), ("deflate", b"no"), ("br", b"{}"), ("gzip, gzip", b"{}")],
    ids=["not gzip", "half of it", "not deflated", "not asked for", "twice"],
)
async def test_what_is_not_compressed_as_it_says_is_garbled(encoding: str, body: bytes) -> None:
    reply = Reply(body, headers={"content-encoding": encoding})
    async with StandIn.listening(lambda _asked: reply) as stand_in, stand_in.client() as client:
        with pytest.raises(SourceGarbled, match="cannot be decompressed"):
            await get_json(client, "profile", "https://cdp.example/ann", None)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(b"[1]")), ("deflate", zlib.compress(b"[1]")), ("Identity", b"[1]"), ("", b"[1]")],
    ids=["gzip", "deflate", "identity", "none"],
)
async def test_what_is_compressed_as_it_says_is_read(encoding: str, body: bytes) -> None:
    reply = Reply(body, headers={"content-encoding": encoding})
    async with StandIn.listening(lambda _asked: reply) as stand_in, stand_in.client() as client:
        assert await get_json(client, "profile", "https://cdp.example/ann", None) == [1]


async def test_an_upstream_that_hangs_takes_no_connection_from_another(
    upstream: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.behaviour = "hang"
    time = LoopTime(monkeypatch)
    async with Faulty() as other, Client(max_connections=2) as hung, Client(max_connections=2) as client:
        waiting = [asyncio.ensure_future(ask(hung, upstream)) for _ in range(20)]
        await upstream.called.wait()
        for _ in range(20):
            assert await ask(client, other) == {}
        assert upstream.connections <= 2
        time.let_pass(DEADLINE_MS / 1000)
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(result) for result in results} == {SourceTimeout}


async def test_one_that_refuses_connections_or_has_no_address_is_unavailable(client: Client, upstream: Faulty) -> None:
    await upstream.stop()
    with pytest.raises(SourceUnavailable, match=r"cannot be reached \(ConnectionRefusedError\)"):
        await ask(client, upstream)
    with pytest.raises(SourceUnavailable, match=r"cannot be reached \(gaierror\)"):
        await get_json(client, "profile", "http://nowhere.invalid/", None)  # RFC 6761, section 6.4
    await upstream.start()


def certified(authority: trustme.CA, *, until: datetime | None = None, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_after=until).configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("expired", "certificate has expired"), ("unknown authority", "issuer"), ("another host", "IP address mismatch")],
)
async def test_a_certificate_that_is_no_good_is_a_failure_like_any_other(
    wrong: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    tls = {
        "expired": certified(ours, until=yesterday),
        "unknown authority": certified(theirs),
        "another host": certified(ours, name="example.com"),
    }[wrong]
    trusting = ssl.create_default_context()
    ours.configure_trust(trusting)
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)
    async with Faulty(tls=tls) as upstream, Client() as client:
        with pytest.raises(SourceUnavailable, match=rf"its certificate is not valid \(.*{said}"):
            await get_json(client, "profile", upstream.url, None)
        assert upstream.calls == 0
    async with Faulty(tls=certified(ours)) as upstream, Client() as client:
        assert await get_json(client, "profile", upstream.url, None) == {}


async def test_no_proxy_is_taken_from_the_environment(upstream: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with Client() as client:
        assert await ask(client, upstream) == {"traits": {"tier": "gold"}}


NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Mon, 23 Nov 2026 10:01:00 GMT", 60),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 0),
        ("soon", None),
        ("-1", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str | None, seconds: float | None) -> None:
    assert retry_after_s(said, NOW) == seconds
