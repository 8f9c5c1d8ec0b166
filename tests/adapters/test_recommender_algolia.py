"""Algolia Recommend: what is sent, to which of its hosts, and what is made of each shape of reply."""

import asyncio

import httpx
import pytest
import respx

from tessera.adapters.client import Client
from tessera.adapters.recommender_algolia import AlgoliaOptions, AlgoliaRecommender
from tessera.renderer.core.errors import SourceTimeout, SourceUnavailable
from tessera.renderer.core.ports import ListQuery, Recommendations, Recommended
from tests.support.loop_time import LoopTime
from tests.support.reach import reach_of
from tests.support.vendors import WITHIN, body_of

HOSTS = ("app1-dsn.algolia.net", "app1-1.algolianet.com", "app1-2.algolianet.com", "app1-3.algolianet.com")
POPULAR = ListQuery("popular", 3)
HITS = [{"objectID": "a", "_score": 90.56, "title": "Tent"}, {"objectID": 7}, {"objectID": "a"}, {"title": "nameless"}]
TRY_MS = 30_000
"""Passes when told to."""

REPLY = {"results": [{"hits": HITS, "queryID": "q-1", "index": "products"}]}

upstream = respx.mock(using="httpx", assert_all_called=False)


def recommender(client: Client, monkeypatch: pytest.MonkeyPatch, **settings: object) -> AlgoliaRecommender:
    monkeypatch.setenv("ALGOLIA_KEY", "k3y")
    options = AlgoliaOptions.model_validate({"application": "APP1", "index": "products", "try_ms": TRY_MS, **settings})
    return AlgoliaRecommender(options, reach_of(client))


@upstream
async def test_hits_come_in_order_with_score_and_the_id_for_feedback(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = upstream.post(f"https://{HOSTS[0]}/1/indexes/*/recommendations").respond(json=REPLY)
    found = await recommender(client, monkeypatch, fields={"title": "title"}).items(POPULAR)
    assert found == Recommendations(
        (
            Recommended("a", 90.56, {"title": "Tent"}, attribution="q-1"),
            Recommended("7", None, {"title": None}, attribution="q-1"),
        )
    )
    headers = route.calls.last.request.headers
    assert (headers["x-algolia-application-id"], headers["x-algolia-api-key"]) == ("APP1", "k3y")


@upstream
@pytest.mark.parametrize(
    ("query", "settings", "sent"),
    [
        (POPULAR, {}, [{"model": "trending-items"}]),
        (POPULAR._replace(at_most=50), {"threshold": 20}, [{"threshold": 20, "maxRecommendations": 30}]),
        (ListQuery("category", 3, category='a"b'), {}, [{"facetName": "category", "facetValue": 'a"b'}]),
        (
            ListQuery("related", 3, to=("x", "y", "z")),
            {"max_seeds": 2},
            [{"model": "related-products", "objectID": "x"}, {"model": "related-products", "objectID": "y"}],
        ),
        (
            ListQuery("personal", 3, WITHIN),
            {"models": {"personal": "for-you"}},
            [{"model": "for-you", "queryParameters": {"clickAnalytics": True, "userToken": WITHIN}}],
        ),
    ],
    ids=["popular", "limits", "category", "related", "personal"],
)
async def test_each_kind_is_a_model(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    query: ListQuery,
    settings: dict[str, object],
    sent: list[dict[str, object]],
) -> None:
    route = upstream.post(url__startswith="https://").respond(json=REPLY)
    await recommender(client, monkeypatch, **settings).items(query)
    requests = body_of(route)["requests"]
    assert len(requests) == len(sent)
    for request, expected in zip(requests, sent, strict=True):
        assert request["indexName"] == "products"
        assert expected.items() <= request.items()


@upstream
async def test_a_kind_without_a_model_is_empty_and_not_asked_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    algolia = recommender(client, monkeypatch)
    assert (await algolia.items(ListQuery("personal", 3, WITHIN))).status == "empty"
    assert [each.id for each in (await algolia.items(ListQuery("lookup", 3, to=("b", "a")))).items] == ["b", "a"]


@upstream
async def test_no_hits_are_an_empty_list(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    upstream.post(url__startswith="https://").respond(json={"results": [{"hits": [], "queryID": "q"}]})
    assert (await recommender(client, monkeypatch).items(POPULAR)).status == "empty"


@upstream
async def test_the_next_host_is_asked_where_one_fails_or_is_slow(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, time = [], LoopTime(monkeypatch)

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if request.url.host == HOSTS[0]:
            return httpx.Response(503)
        if request.url.host == HOSTS[1]:
            time.let_pass(TRY_MS / 1000)
            await asyncio.Event().wait()
        if request.url.host == HOSTS[2]:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json=REPLY)

    upstream.post(url__startswith="https://").mock(side_effect=answer)
    found = await recommender(client, monkeypatch).items(POPULAR)
    assert (found.status, tuple(asked)) == ("fresh", HOSTS)


@upstream
async def test_four_silent_hosts_are_a_timeout(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, time = [], LoopTime(monkeypatch)

    async def never(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        time.let_pass(TRY_MS / 1000)
        await asyncio.Event().wait()
        raise AssertionError

    upstream.post(url__startswith="https://").mock(side_effect=never)
    with pytest.raises(SourceTimeout):
        await recommender(client, monkeypatch).items(POPULAR)
    assert tuple(asked) == HOSTS


@upstream
async def test_a_rate_limit_is_not_asked_again_elsewhere(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    route = upstream.post(url__startswith="https://").respond(429, headers={"retry-after": "7"})
    with pytest.raises(SourceUnavailable) as failure:
        await recommender(client, monkeypatch).items(POPULAR)
    assert (failure.value.retry_after_s, route.call_count) == (7, 1)
