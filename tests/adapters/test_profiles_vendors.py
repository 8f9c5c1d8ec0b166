"""Every platform that profiles come from over HTTP: what it answers, or fails to, is a profile or a typed error."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import respx

from tessera.adapters.client import MAX_REPLY_BYTES, make_client
from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceTimeout, SourceUnavailable
from tessera.renderer.core.ports import Profile, Profiles
from tests.adapters.vendors import LOGIN, TOKEN, VENDORS, Vendor
from tests.support.reach import reach_of

TRAITS = frozenset({"tier", "ltv"})
HOSTILE = ["a/../admin", "a?b=c#d", "ü ñ", "%2e%2e", "{traits}", "a+b@c.de", '"}) {x(', "a\r\nb: c"]
upstream = respx.mock(using="httpx", assert_all_called=False)


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.name)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    found: Vendor = request.param
    return found


@pytest.fixture
async def profiles(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Profiles]:
    monkeypatch.setenv("VENDOR_TOKEN", "s3cret")
    async with make_client() as client, (reach := reach_of(client)).closing:
        upstream.post(url__startswith=LOGIN).respond(json=TOKEN)
        yield vendor.make(reach)


@upstream
async def test_a_known_visitor_has_a_profile(vendor: Vendor, profiles: Profiles) -> None:
    upstream.route(url__startswith=vendor.host).respond(json=vendor.good)
    assert await profiles.profile("u1", TRAITS) == vendor.profile


@upstream
@pytest.mark.parametrize("vendor", [each for each in VENDORS if each.unknown], ids=lambda vendor: vendor.name)
async def test_an_unknown_visitor_is_a_missing_profile(vendor: Vendor, profiles: Profiles) -> None:
    upstream.route(url__startswith=vendor.host).mock(return_value=vendor.unknown)
    assert await profiles.profile("nobody", TRAITS) == Profile(status="missing")


@upstream
async def test_nothing_but_the_traits_that_were_asked_for_is_taken(vendor: Vendor, profiles: Profiles) -> None:
    upstream.route(url__startswith=vendor.host).respond(json=vendor.good)
    assert (await profiles.profile("u1", frozenset())).traits == {}


@upstream
@pytest.mark.parametrize("visitor_id", HOSTILE)
async def test_a_visitor_id_is_a_value_and_no_more(vendor: Vendor, profiles: Profiles, visitor_id: str) -> None:
    route = upstream.route(url__startswith="https://").respond(json=vendor.good)
    await profiles.profile("u1", TRAITS)
    plain = route.calls.last.request
    await profiles.profile(visitor_id, TRAITS)
    sent = route.calls.last.request
    assert sent.url.host == plain.url.host
    assert sent.url.raw_path.split(b"?")[0].count(b"/") == plain.url.raw_path.split(b"?")[0].count(b"/")
    assert sent.url.params.keys() == plain.url.params.keys()
    assert sent.headers.keys() == plain.headers.keys()


GZIP = {"content-encoding": "gzip"}
ELSEWHERE = {"location": "https://evil.example/"}
FAILURES: list[tuple[str, httpx.Response | Exception, type[SourceError], str]] = [
    ("rate limit", httpx.Response(429, headers={"retry-after": "7"}), SourceUnavailable, "answered with status 429"),
    ("server error", httpx.Response(503), SourceUnavailable, "answered with status 503"),
    ("refused", httpx.Response(403), SourceGarbled, "answered with status 403"),
    ("redirect", httpx.Response(302, headers=ELSEWHERE), SourceGarbled, "status 302"),
    ("not json", httpx.Response(200, text="<html>"), SourceGarbled, "the reply is not JSON"),
    ("cut off in the middle", httpx.Response(200, text='{"traits": {"ti'), SourceGarbled, "the reply is not JSON"),
    ("bad gzip", httpx.Response(200, stream=httpx.ByteStream(b"no"), headers=GZIP), SourceGarbled, "decompress"),
    ("too large", httpx.Response(200, content=b" " * (MAX_REPLY_BYTES + 1)), SourceGarbled, "2,000,000 bytes"),
    ("no connection", httpx.ConnectError("refused"), SourceUnavailable, "cannot be reached (ConnectError)"),
    ("cut off", httpx.RemoteProtocolError("peer closed"), SourceUnavailable, "cannot be reached"),
    ("slow", httpx.ReadTimeout("slow"), SourceTimeout, "no reply in time"),
]


@upstream
@pytest.mark.parametrize(("reply", "error", "message"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES])
async def test_every_failure_is_a_typed_error(
    vendor: Vendor, profiles: Profiles, reply: httpx.Response | Exception, error: type[SourceError], message: str
) -> None:
    upstream.route(url__startswith=vendor.host).mock(side_effect=[reply, reply])
    with pytest.raises(error, match="profile: ") as failure:
        await profiles.profile("secret-visitor", TRAITS)
    assert message in str(failure.value)
    assert "secret-visitor" not in str(failure.value)
    if isinstance(failure.value, SourceUnavailable) and "429" in message:
        assert failure.value.retry_after_s == 7


@upstream
async def test_a_reply_of_another_shape_is_garbled(vendor: Vendor, profiles: Profiles) -> None:
    for document in vendor.wrong:
        upstream.route(url__startswith=vendor.host).respond(json=document)
        with pytest.raises(SourceGarbled):
            await profiles.profile("u1", TRAITS)


@upstream
async def test_whoever_gives_up_waiting_leaves_nothing_behind(vendor: Vendor, profiles: Profiles) -> None:
    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    upstream.route(url__startswith=vendor.host).mock(side_effect=hang)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await profiles.profile("u1", TRAITS)
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1
