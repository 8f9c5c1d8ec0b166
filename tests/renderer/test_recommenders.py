"""Lists from recommenders to the page: whole, sold, from several sources, with ids for feedback."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.calls import Calls, Manner
from tessera.renderer.core.context import Context
from tessera.renderer.core.device import Device
from tessera.renderer.core.errors import SourceError, SourceTimeout, SourceUnavailable
from tessera.renderer.core.ports import Cart, CartLine, ListQuery, Recommendations, Recommended
from tessera.renderer.core.stock import Stock
from tessera.renderer.core.visitor import Visitor
from tessera.renderer.explain import Explanation, explain
from tessera.renderer.fragments import Fragments
from tessera.renderer.gather import Asked, Gatherer
from tessera.renderer.pipeline import Pipeline
from tessera.renderer.recommenders import ListSource, Route, SeveralRecommenders
from tests.support.client import NOW, client_of
from tests.support.fakes import World, item
from tests.support.sites import FACTS, load, write_site

FACTS_WITH_ATTRIBUTION = FACTS.rstrip() + "\n      attribution: {type: string}\n      in_stock: {type: boolean}\n"
LISTS = """
    lists:
      popular: {kind: popular, count: 3}
      segment: {kind: category, category: visitor.tier, count: 3, fallback: popular}
      mine: {kind: personal, count: 3, fallback: segment, share: private}
      rest: {kind: popular, count: 3, without: cart.skus}
"""
PAGE = """
    page: home
    slots:
      rail: {default: {template: rail.liquid, items: mine}}
      told: {default: {template: told.liquid, items: mine}}
      rest: {default: {template: rail.liquid, items: rest}}
"""
TEMPLATES = {
    "rail.liquid": "{% for item in items %}<li>{{ item.sku }}</li>{% endfor %}",
    "told.liquid": "{% for item in items %}<li>{{ item.sku }} {{ item.attribution }}</li>{% endfor %}",
}
SKUS = "ABCDEFGH"


def world_of(**lists: Sequence[str | Recommended]) -> World:
    return World(lists=dict(lists), catalogue={sku: item(sku) for sku in SKUS})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rules = {"home.yaml": PAGE, "lists.yaml": LISTS, "facts.yaml": FACTS_WITH_ATTRIBUTION}
    return write_site(tmp_path, rules, TEMPLATES)


def shown(text: str) -> list[str]:
    return re.findall(r"<li>([^<]+)</li>", text)


async def test_an_attribution_is_in_the_key_only_where_a_template_reads_it(folder: Path) -> None:
    lists = {who: [Recommended("A", attribution=f"r-{who}")] for who in ("ann", "bob")}
    async with client_of(folder, world_of(**lists)) as client:
        for who in ("ann", "bob"):
            assert shown((await client.get("/fragments/home/rail", who)).text) == ["A"]
        assert len(client.cache) == 1  # type: ignore[arg-type]
        for who in ("ann", "bob"):
            assert shown((await client.get("/fragments/home/told", who)).text) == [f"A r-{who}"]
        assert len(client.cache) == 3  # type: ignore[arg-type]


async def test_items_that_are_not_sold_are_replaced(folder: Path) -> None:
    world = world_of(popular=["A", "GONE", "B", "C", "D"])
    world.catalogue["B"] = {**item("B"), "in_stock": False}
    async with client_of(folder, world, stock=Stock(spare_share=0.5)) as client:
        assert shown((await client.get("/fragments/home/rail")).text) == ["A", "C", "D"]
        assert [what for source, what in world.calls if source == "items"] == [ListQuery("popular", 5, name="popular")]


async def test_items_that_come_half_are_made_whole(folder: Path) -> None:
    half = Recommended("A", fields={"sku": "A", "title": "Tent"})
    whole = Recommended("Z", fields={**item("Z")})
    world = world_of(popular=[half, whole])
    async with client_of(folder, world) as client:
        assert shown((await client.get("/fragments/home/rail")).text) == ["A", "Z"]
    assert ("catalogue", ("A",)) in world.calls


async def test_a_list_leaves_out_what_its_fact_names(folder: Path) -> None:
    world = world_of(popular=list(SKUS))
    world.carts["ann"] = Cart((CartLine("A", 1), CartLine("C", 2)), 100, "EUR")
    async with client_of(folder, world) as client:
        reply = await client.get("/fragments/home/rest", "ann")
        assert shown(reply.text) == ["B", "D", "E"]
        assert "private" in reply.headers["cache-control"]
        assert shown((await client.get("/fragments/home/rest")).text) == ["A", "B", "C"]


async def explained(folder: Path, world: World, who: str | None, **terms: object) -> Explanation:
    site = load(folder)
    pipeline = Pipeline(Gatherer(world.sources(**terms)), Fragments(MemoryCache(1_000_000)))  # type: ignore[arg-type]
    visitor = Visitor(who, "granted" if who else "unknown")
    asked = Asked(Context.of(visitor, Device(), "en", site.declared), site.declared, NOW)
    return await explain(pipeline, asked, site, site.pages["home"].slots["rail"])


async def test_what_a_list_stands_in_for_is_explained(folder: Path) -> None:
    popular = [Recommended("A", attribution="r-1")]
    told = await explained(folder, world_of(popular=popular), "ann")
    assert "items:\n  popular: fallback, 0" in told.to_text()
    assert "s old; instead of mine, segment; attribution r-1" in told.to_text()
    of_items = told.to_json()["items"]
    assert isinstance(of_items, Mapping)
    assert (of_items["name"], of_items["status"], of_items["instead_of"]) == (
        "popular",
        "fallback",
        ("mine", "segment"),
    )
    fresh = await explained(folder, world_of(ann=["A"]), "ann")
    assert fresh.listing is not None
    assert (fresh.listing.name, fresh.listing.status, fresh.listing.instead_of) == ("mine", "fresh", ())
    nothing = await explained(folder, world_of(), None)
    assert nothing.listing is not None
    assert (nothing.listing.name, nothing.listing.status) == ("popular", "empty")


class Fake:
    """Implements `Recommender`: answers with these items, raises, or hangs where there are none to give."""

    def __init__(self, answer: Sequence[str] | SourceError | None, *, fallback: bool = False) -> None:
        self.answer = answer
        self.fallback = fallback
        self.asked = 0

    async def items(self, query: ListQuery) -> Recommendations:
        self.asked += 1
        if isinstance(self.answer, SourceError):
            raise self.answer
        if self.answer is None:
            await asyncio.Event().wait()
        return Recommendations(tuple(map(Recommended, self.answer or ())), 60.0, self.fallback)


DOWN = SourceUnavailable("items", "down")
ONE_TWO, WEIGHED = ("one", "two"), {"one": 2.0, "two": 1.0}


def several(route: Route | None, one: Fake, two: Fake) -> SeveralRecommenders:
    sources = [ListSource(name, each, Calls("items", 20, Manner())) for name, each in (("one", one), ("two", two))]
    return SeveralRecommenders(sources, {} if route is None else {"mine": route})


@pytest.mark.parametrize(
    ("route", "one", "two", "found", "status"),
    [
        (None, "ab", "cd", "ab", "fresh"),
        (ONE_TWO, "", "cd", "cd", "fallback"),
        (ONE_TWO, DOWN, "cd", "cd", "fallback"),
        (ONE_TWO, None, "cd", "cd", "fallback"),
        (("two",), "ab", "cd", "cd", "fresh"),
        (ONE_TWO, "", "", "", "empty"),
        (WEIGHED, "abcd", "xbyz", "axbcy", "fresh"),
        (WEIGHED, DOWN, "xy", "xy", "fallback"),
        (WEIGHED, "ab", None, "ab", "fallback"),
        (WEIGHED, "ab", "", "ab", "fallback"),
        (WEIGHED, "", "", "", "empty"),
    ],
)
async def test_sources_are_tried_in_order_or_blended(
    route: Route | None, one: str | SourceError | None, two: str | None, found: str, status: str
) -> None:
    answer = await several(route, Fake(one), Fake(two)).items(ListQuery("personal", 5, "ann", name="mine"))
    assert "".join(each.id for each in answer.items) == found
    assert answer.status == status
    assert {each.source for each in answer.items} <= {"one", "two"}


@pytest.mark.parametrize("route", [ONE_TWO, WEIGHED])
async def test_where_nothing_came_the_first_failure_is_told(route: Route) -> None:
    query = ListQuery("personal", 5, "ann", name="mine")
    with pytest.raises(SourceUnavailable, match="down"):
        await several(route, Fake(DOWN), Fake(())).items(query)
    with pytest.raises(SourceTimeout, match="no answer in 20 ms"):
        await several(route, Fake(()), Fake(None)).items(query)


async def test_a_later_source_is_not_asked_in_vain() -> None:
    two = Fake("cd")
    await several(ONE_TWO, Fake("ab"), two).items(ListQuery("personal", 5, "ann", name="mine"))
    assert two.asked == 0


async def test_an_explanation_names_the_sources(folder: Path) -> None:
    blend = several(WEIGHED, Fake("AB"), Fake("C"))
    told = await explained(folder, world_of(), "ann", recommender=blend)
    assert told.listing is not None
    assert (told.listing.sources, told.listing.status) == (("one", "two"), "fresh")
    assert "; from one, two" in told.to_text()
