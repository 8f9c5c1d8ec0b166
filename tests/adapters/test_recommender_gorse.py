"""Gorse: a call for each kind of list, and what is made of each shape of reply."""

import httpx
import pytest
import respx

from tessera.adapters.client import Client
from tessera.adapters.recommender_gorse import GorseOptions, GorseRecommender
from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import ListQuery, Recommendations, Recommended
from tests.support.reach import reach_of
from tests.support.vendors import WITHIN

URL = "https://gorse.example"
PERSONAL = ListQuery("personal", 3, WITHIN)
REPLY = [{"Id": "a", "Score": 0.9}, {"Id": "b"}, {"Id": "a", "Score": 0.1}, {"Id": "c", "Score": "high"}, {}, None]
ITEMS = (Recommended("a", 0.9), Recommended("b"), Recommended("c"))

upstream = respx.mock(using="httpx", assert_all_called=False)


@pytest.fixture
def gorse(client: Client, monkeypatch: pytest.MonkeyPatch) -> GorseRecommender:
    monkeypatch.setenv("GORSE_KEY", "k3y")
    options = GorseOptions(url=URL + "/", popular="top", related="near", max_seeds=2, key_variable="GORSE_KEY")
    return GorseRecommender(options, reach_of(client))


@upstream
@pytest.mark.parametrize(
    ("query", "asked"),
    [
        (PERSONAL, f"recommend/{WITHIN}?n=3"),
        (ListQuery("personal", 3, "a/b?c"), "recommend/a%2Fb%3Fc?n=3"),
        (ListQuery("popular", 3), "non-personalized/top?n=3"),
        (ListQuery("category", 3, category="a&b"), "non-personalized/top?n=3&category=a%26b"),
        (ListQuery("related", 3, to=("x y",)), "item-to-item/near/x%20y?n=3"),
    ],
    ids=["personal", "an id with letters of addresses", "popular", "category", "related"],
)
async def test_each_kind_is_a_call_of_its_own(gorse: GorseRecommender, query: ListQuery, asked: str) -> None:
    route = upstream.get(url__startswith=URL).respond(json=REPLY)
    found = await gorse.items(query)
    assert (found, found.status) == (Recommendations(ITEMS), "fresh")
    request = route.calls.last.request
    assert str(request.url) == f"{URL}/api/{asked}"
    assert (request.headers["x-api-version"], request.headers["x-api-key"]) == ("2", "k3y")
    assert "write-back" not in str(request.url)


@upstream
async def test_items_related_to_several_are_taken_by_turns(gorse: GorseRecommender) -> None:
    upstream.get(url__startswith=f"{URL}/api/item-to-item/near/one?").respond(json=[{"Id": "a"}, {"Id": "two"}])
    upstream.get(url__startswith=f"{URL}/api/item-to-item/near/two?").respond(json=[{"Id": "b"}, {"Id": "a"}])
    found = await gorse.items(ListQuery("related", 3, to=("one", "two", "three")))
    assert [each.id for each in found.items] == ["a", "b"]


@upstream
@pytest.mark.parametrize(
    ("reply", "items"),
    [
        (httpx.Response(200, json=[]), ()),
        (httpx.Response(404, text="no such item"), ()),
        (httpx.Response(200, json=["a", "b"]), (Recommended("a"), Recommended("b"))),
    ],
    ids=["empty", "unknown", "version 1"],
)
async def test_other_replies(gorse: GorseRecommender, reply: httpx.Response, items: tuple[Recommended, ...]) -> None:
    upstream.get(url__startswith=URL).mock(return_value=reply)
    assert (await gorse.items(PERSONAL)).items == items


@upstream
@pytest.mark.parametrize("query", [ListQuery("related", 3, to=("..", "")), ListQuery("personal", 3, "..")])
async def test_an_id_cannot_lead_elsewhere(gorse: GorseRecommender, query: ListQuery) -> None:
    assert await gorse.items(query) == Recommendations()


@upstream
async def test_items_that_are_named_are_not_asked_for(gorse: GorseRecommender) -> None:
    assert (await gorse.items(ListQuery("lookup", 2, to=("b", "a")))).items == (Recommended("b"), Recommended("a"))


@upstream
@pytest.mark.parametrize("status", [200, 404])
async def test_a_visitor_is_erased_and_one_it_does_not_know_is_none_to_erase(
    gorse: GorseRecommender, status: int
) -> None:
    route = upstream.delete(f"{URL}/api/user/a%2Fb%3Fc").respond(status, json={"RowAffected": 1})
    await gorse.erase("a/b?c")
    assert route.calls.last.request.headers["x-api-key"] == "k3y"


@upstream
async def test_an_erasure_that_fails_says_so_and_none_leads_elsewhere(gorse: GorseRecommender) -> None:
    route = upstream.delete(url__startswith=URL).respond(500)
    with pytest.raises(SourceUnavailable):
        await gorse.erase("ann")
    for nobody in ("", ".", ".."):
        await gorse.erase(nobody)
    assert route.call_count == 1
