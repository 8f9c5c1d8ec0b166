"""The JSON service adapters, against replies of every shape: mapped results and typed errors."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
import respx

from tessera.adapters.client import MAX_REPLY_BYTES, Client, at, fill_url, get_json
from tessera.adapters.profiles_http import HttpProfiles, HttpProfilesOptions
from tessera.adapters.recommender_http import HttpRecommender, HttpRecommenderOptions
from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceTimeout, SourceUnavailable
from tessera.renderer.core.ports import ListQuery, Profile, Recommendations, Recommended
from tests.support.reach import reach_of

CDP = "https://cdp.example/v1/profiles"
RECO = "https://reco.example/lists"
TRAITS = frozenset({"tier", "first_name"})
POPULAR = ListQuery("popular", 3)

upstream = respx.mock(using="httpx", assert_all_called=False)


@pytest.fixture
def profiles(client: Client, monkeypatch: pytest.MonkeyPatch) -> HttpProfiles:
    monkeypatch.setenv("CDP_TOKEN", "s3cret")
    options = HttpProfilesOptions(url=CDP + "/{visitor_id}", segments="audiences", token_variable="CDP_TOKEN")
    return HttpProfiles(options, reach_of(client))


@pytest.fixture
def recommender(client: Client) -> HttpRecommender:
    url = RECO + "/{kind}?user={visitor_id}&n={count}&to={to}&category={category}"
    return HttpRecommender(HttpRecommenderOptions(url=url, items="recomms"), reach_of(client))


@upstream
async def test_a_profile_keeps_the_traits_that_were_asked_for(profiles: HttpProfiles) -> None:
    route = upstream.get(CDP + "/u1").respond(
        json={"traits": {"tier": "gold", "email": "a@example.com"}, "audiences": ["vip"]}
    )
    assert await profiles.profile("u1", TRAITS) == Profile({"tier": "gold"}, frozenset({"vip"}))
    assert route.calls.last.request.headers["authorization"] == "Bearer s3cret"


@upstream
async def test_segments_may_come_as_an_object_of_truths(profiles: HttpProfiles) -> None:
    upstream.get(CDP + "/u1").respond(json={"traits": {}, "audiences": {"vip": True, "lapsed": False, "odd": "true"}})
    assert (await profiles.profile("u1", TRAITS)).segments == frozenset({"vip"})


@upstream
@pytest.mark.parametrize("reply", [httpx.Response(404), httpx.Response(200, json={})])
async def test_an_unknown_visitor_is_a_missing_profile(profiles: HttpProfiles, reply: httpx.Response) -> None:
    upstream.get(CDP + "/nobody").mock(return_value=reply)
    assert await profiles.profile("nobody", TRAITS) == Profile(status="missing")


FAILURES: list[tuple[str, httpx.Response | Exception, type[SourceError], str]] = [
    ("rate limit", httpx.Response(429), SourceUnavailable, "answered with status 429"),
    ("server error", httpx.Response(503), SourceUnavailable, "answered with status 503"),
    ("refused", httpx.Response(403), SourceGarbled, "answered with status 403"),
    ("redirect", httpx.Response(302, headers={"location": "https://evil.example/"}), SourceGarbled, "status 302"),
    ("not json", httpx.Response(200, text="<html>"), SourceGarbled, "the reply is not JSON"),
    ("too large", httpx.Response(200, content=b" " * (MAX_REPLY_BYTES + 1)), SourceGarbled, "1,000,000 bytes"),
    ("too deep", httpx.Response(200, content=b"[" * 100_000), SourceGarbled, "the reply is not JSON"),
    ("cut off", httpx.RemoteProtocolError("peer closed"), SourceUnavailable, "broke off the connection"),
]


@upstream
@pytest.mark.parametrize(("reply", "error", "message"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES])
async def test_every_failure_is_a_typed_error(
    profiles: HttpProfiles,
    recommender: HttpRecommender,
    reply: httpx.Response | Exception,
    error: type[SourceError],
    message: str,
) -> None:
    effect: Callable[[httpx.Request], httpx.Response] | Exception
    effect = (lambda _request: reply) if isinstance(reply, httpx.Response) else reply
    upstream.get(url__startswith="https://").mock(side_effect=effect)
    await both_fail(profiles, recommender, error, message)


@upstream
@pytest.mark.parametrize("client", [0.05], indirect=True)
async def test_a_reply_that_does_not_come_is_a_timeout(profiles: HttpProfiles, recommender: HttpRecommender) -> None:
    upstream.get(url__startswith="https://").mock(side_effect=httpx.ReadTimeout("slow"))
    await both_fail(profiles, recommender, SourceTimeout, "no reply in time")


async def both_fail(
    profiles: HttpProfiles, recommender: HttpRecommender, error: type[SourceError], message: str
) -> None:
    with pytest.raises(error, match="profile: ") as profile_failure:
        await profiles.profile("secret-visitor", TRAITS)
    with pytest.raises(error, match="items: "):
        await recommender.items(POPULAR)
    assert message in str(profile_failure.value)
    assert "secret-visitor" not in str(profile_failure.value)


@upstream
@pytest.mark.parametrize("document", [{"traits": []}, {"traits": {}, "audiences": "vip"}, {"audiences": [1]}])
async def test_a_profile_of_another_shape_is_garbled(profiles: HttpProfiles, document: object) -> None:
    upstream.get(CDP + "/u1").respond(json=document)
    with pytest.raises(SourceGarbled):
        await profiles.profile("u1", TRAITS)


@upstream
async def test_a_list_comes_in_order_without_repetitions(recommender: HttpRecommender) -> None:
    members = [{"id": "b", "score": 0.9}, {"id": 7}, {"id": "b"}, {"nothing": 1}, {"id": "c", "score": "high"}]
    route = upstream.get(url__startswith=RECO).respond(json={"recomms": members})
    query = ListQuery("related", 4, to=("A&B", "C"))
    expected = (Recommended("b", 0.9), Recommended("7"), Recommended("c"))
    assert await recommender.items(query) == Recommendations(expected)
    assert str(route.calls.last.request.url) == RECO + "/related?user=&n=4&to=A%26B%2CC&category="


@upstream
async def test_whole_items_are_mapped_to_declared_fields(client: Client) -> None:
    upstream.get(RECO).respond(json=[{"sku": "a", "doc": {"name": "Tent"}}])
    fields = {"title": "doc.name", "brand": "doc.brand"}
    options = HttpRecommenderOptions(url=RECO, items="", item_id="sku", fields=fields)
    whole = HttpRecommender(options, reach_of(client))
    assert (await whole.items(POPULAR)).items == (Recommended("a", None, {"title": "Tent", "brand": None}),)


@upstream
async def test_a_list_may_be_of_bare_ids(client: Client) -> None:
    upstream.get(RECO).respond(json=["sku1", "sku2"])
    bare = HttpRecommender(HttpRecommenderOptions(url=RECO, items="", item_id=""), reach_of(client))
    assert (await bare.items(POPULAR)).items == (Recommended("sku1"), Recommended("sku2"))


def test_a_path_that_is_not_there_is_none() -> None:
    assert at({"a": {"b": 1}}, "a.b") == 1
    assert at({"a": [1]}, "a.b") is None


def test_placeholders_are_encoded_whole() -> None:
    assert fill_url("https://x/{a}", {"a": "1/2 ?"}) == "https://x/1%2F2%20%3F"


async def test_one_reply_leaves_no_cookie_in_the_next_request() -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: of=v1; Path=/\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
        )
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, Client() as client:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        for _ in range(2):
            assert await get_json(client, "profile", url, None) == {}
    assert len(asked) == 2
    assert b"cookie" not in asked[1].lower()
