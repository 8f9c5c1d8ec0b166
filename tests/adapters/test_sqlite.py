"""The embedded store: what it answers, and that what it says is written is on disk."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tessera.adapters.assignments_sqlite import SqliteAssignments
from tessera.adapters.base import Nothing
from tessera.adapters.carts_sqlite import SqliteCarts
from tessera.adapters.catalogue_sqlite import SqliteCatalogue
from tessera.adapters.events_sqlite import SqliteEvents
from tessera.adapters.exposures_sqlite import SqliteExposures
from tessera.adapters.profiles_sqlite import SqliteProfiles
from tessera.adapters.recommender_sqlite import SqliteRecommender
from tessera.adapters.sqlite import Interaction, Seed, Store, fill, prepare
from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import KEPT_EVENTS, Cart, CartLine, Event, Exposure, ListQuery, Profile
from tests.support.reach import reach_of

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def item(sku: str, category: str, *, cents: int = 1000, in_stock: bool = True) -> dict[str, object]:
    return {"sku": sku, "category": category, "price": {"amount": cents, "currency": "EUR"}, "in_stock": in_stock}


ITEMS = [item("T1", "tents"), item("T2", "tents"), item("T3", "tents", in_stock=False), item("M1", "mats", cents=250)]
BOUGHT = [("ann", "T1"), ("ann", "M1"), ("bob", "T1"), ("bob", "M1"), ("cat", "T1")]
SEED = Seed(
    items=ITEMS,
    profiles=[("ann", {"tier": "gold", "email": "ann@example.com"}, ["vip"])],
    interactions=[Interaction(who, sku, "purchase", NOW) for who, sku in BOUGHT]
    + [Interaction("dan", sku, "view", NOW) for sku in ("T1", "T2", "T2", "T3")],
    carts=[("ann", [{"sku": "M1", "quantity": 2}, {"sku": "GONE", "quantity": 1}, {"sku": "T1", "quantity": 1}])],
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "tessera.sqlite"
    assert prepare(path)
    fill(path, SEED)
    return path


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    store = await Store.open(path)
    yield store
    await store.close()


def test_a_filled_store_is_not_filled_again(path: Path) -> None:
    assert not prepare(path)


async def test_a_profile_has_the_traits_asked_for(store: Store) -> None:
    found = await SqliteProfiles(Nothing(), reach_of(store=store)).profile("ann", frozenset({"tier", "first_name"}))
    assert found == Profile({"tier": "gold"}, frozenset({"vip"}))


async def test_an_unknown_visitor_has_a_missing_profile(store: Store) -> None:
    assert await SqliteProfiles(Nothing(), reach_of(store=store)).profile("nobody", frozenset()) == Profile(
        status="missing"
    )


async def test_the_catalogue_leaves_out_what_it_does_not_have(store: Store) -> None:
    assert await SqliteCatalogue(Nothing(), reach_of(store=store)).items(["M1", "GONE"]) == {"M1": ITEMS[3]}


async def test_a_cart_is_priced_by_the_catalogue(store: Store) -> None:
    assert await SqliteCarts(store).cart("ann") == Cart((CartLine("M1", 2), CartLine("T1", 1)), 1500, "EUR")
    assert await SqliteCarts(store).cart("bob") is None


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        (ListQuery("popular", 2), ["T1", "M1"]),
        (ListQuery("category", 9, category="tents"), ["T1", "T2", "T3"]),
        (ListQuery("lookup", 9, to=("M1", "GONE", "T1")), ["M1", "T1"]),
        (ListQuery("related", 9, to=("T1",)), ["M1"]),
        (ListQuery("related", 9, to=("T2",)), []),
        (ListQuery("personal", 9, visitor_id="dan"), ["T1", "T2"]),
        (ListQuery("personal", 9, visitor_id="ann"), ["T2"]),
        (ListQuery("personal", 9, visitor_id="nobody"), []),
    ],
)
async def test_lists(store: Store, query: ListQuery, skus: list[str]) -> None:
    assert [each.id for each in (await SqliteRecommender(Nothing(), reach_of(store=store)).items(query)).items] == skus


def exposure(visitor: str, version: str = "1") -> Exposure:
    return Exposure(visitor, "hero-copy", "urgency", version, NOW)


async def test_an_exposure_counts_once_for_each_version(store: Store) -> None:
    exposures = SqliteExposures(store)
    assert await exposures.record(exposure("ann"))
    assert not await exposures.record(exposure("ann"))
    assert await exposures.record(exposure("ann", "2"))


async def test_the_first_exposure_tells_the_arm_that_a_visitor_keeps(store: Store) -> None:
    exposures = SqliteExposures(store)
    await exposures.record(exposure("ann"))
    await exposures.record(replace(exposure("ann"), arm="control"))
    await exposures.record(replace(exposure("ann", "2"), arm="control"))
    assert await SqliteAssignments(store).assignments("ann") == {
        ("hero-copy", "1"): "urgency",
        ("hero-copy", "2"): "control",
    }
    assert await SqliteAssignments(store).assignments("bob") == {}


async def test_events_are_told_by_kind_and_thing(store: Store) -> None:
    events = SqliteEvents(store)
    for visitor, kind, of in [
        ("ann", "shown", "a"),
        ("ann", "dismissed", "a"),
        ("ann", "shown", "b"),
        ("bob", "shown", "a"),
    ]:
        await events.record(Event(visitor, kind, of, NOW))
    assert await events.events("ann", frozenset({"a"})) == {("shown", "a"): [NOW], ("dismissed", "a"): [NOW]}
    assert await events.events("cat", frozenset({"a"})) == {}


async def test_the_last_events_are_kept(store: Store) -> None:
    events = SqliteEvents(store)
    moments = [NOW + timedelta(seconds=second) for second in range(KEPT_EVENTS + 20)]
    await asyncio.gather(*(events.record(Event("ann", "shown", "a", at)) for at in moments))
    await events.record(Event("ann", "dismissed", "a", NOW))
    kept = await events.events("ann", frozenset({"a"}))
    assert kept == {("shown", "a"): moments[20:], ("dismissed", "a"): [NOW]}


async def test_what_is_acknowledged_is_on_disk(store: Store, path: Path) -> None:
    exposures = SqliteExposures(store)
    acknowledged = await asyncio.gather(*(exposures.record(exposure(f"v{n}")) for n in range(200)))
    assert all(acknowledged)
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT COUNT(*) FROM exposures").fetchone() == (200,)
    other.close()


async def test_a_broken_store_is_a_typed_error(store: Store, path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.executescript("DROP TABLE profiles; DROP TABLE exposures;")
    other.close()
    with pytest.raises(SourceUnavailable, match="profile: the embedded store failed: no such table"):
        await SqliteProfiles(Nothing(), reach_of(store=store)).profile("ann", frozenset())
    with pytest.raises(SourceUnavailable, match="exposures: the embedded store failed: no such table"):
        await SqliteExposures(store).record(exposure("ann"))


async def test_one_failed_write_does_not_take_others_with_it(store: Store) -> None:
    exposures = SqliteExposures(store)
    good, bad = await asyncio.gather(
        exposures.record(exposure("ann")),
        store.write("exposures", "INSERT INTO nowhere VALUES (1)", ()),
        return_exceptions=True,
    )
    assert isinstance(bad, SourceUnavailable)
    assert good is True
