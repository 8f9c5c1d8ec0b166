"""The demo's seed: deterministic, in agreement with itself, and with structure to be found in it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import mean

import pytest

from tessera.demo import seed
from tessera.demo.catalogue import CATEGORIES, FAMILIES

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PERSONAS = {persona[0] for persona in seed.PERSONAS}


@pytest.fixture(scope="module")
def world() -> seed.World:
    return seed.world(NOW)


@pytest.fixture(scope="module")
def items() -> Mapping[str, seed.Item]:
    return {item["sku"]: item for item in seed.items()}


@pytest.fixture(scope="module")
def histories(world: seed.World) -> Mapping[str, Sequence[seed.Interaction]]:
    """What each visitor did, personas aside: their traits are written by hand."""
    by_visitor: dict[str, list[seed.Interaction]] = defaultdict(list)
    for interaction in world.interactions:
        if interaction[0] not in PERSONAS:
            by_visitor[interaction[0]].append(interaction)
    return by_visitor


def lift(histories: Mapping[str, Sequence[seed.Interaction]], those: set[str], others: set[str]) -> float:
    """How much more often buyers of ``those`` also buy ``others`` than buyers at large do."""
    buyers = [{sku for _, sku, kind, _ in history if kind == "purchase"} for history in histories.values()]
    buyers = [bought for bought in buyers if bought]
    base = mean(bool(bought & others) for bought in buyers)
    return mean(bool(bought & others) for bought in buyers if bought & those) / base


def of_family(items: Mapping[str, seed.Item], *names: str) -> set[str]:
    return {sku for sku, item in items.items() if item["title"].startswith(names)}


def test_about_two_hundred_items_in_twelve_categories(items: Mapping[str, seed.Item]) -> None:
    per_category = Counter(item["category"] for item in items.values())
    assert 180 <= len(items) <= 220
    assert set(per_category) == {category.slug for category in CATEGORIES}
    assert len(per_category) == 12
    assert min(per_category.values()) >= 12


def test_skus_are_the_letters_of_the_category_and_a_number(items: Mapping[str, seed.Item]) -> None:
    assert items["TENT-014"]["title"] == "Sarek dome 2"
    assert len(items) == len(seed.items())


def test_titles_are_unique(items: Mapping[str, seed.Item]) -> None:
    assert len({item["title"] for item in items.values()}) == len(items)


def test_prices_are_cents_of_a_currency_and_reductions_lower_them(items: Mapping[str, seed.Item]) -> None:
    for item in items.values():
        assert item["price"]["currency"] == "EUR"
        assert 300 < item["price"]["amount"] < 100_000
        was = item["was_price"]
        assert (was is not None) == (item["badge"] == "sale")
        assert was is None or was["amount"] > item["price"]["amount"]


def test_what_goes_with_a_family_is_sold() -> None:
    names = {family.name for family in FAMILIES}
    assert [name for family in FAMILIES for name in family.goes_with if name not in names] == []


def test_the_same_moment_gives_the_same_world(world: seed.World) -> None:
    seed.world.cache_clear()
    assert seed.world(NOW) == world


def test_another_moment_moves_the_same_history(world: seed.World) -> None:
    later = seed.world(NOW + timedelta(days=100))
    assert [visitor.id for visitor in later.visitors] == [visitor.id for visitor in world.visitors]
    assert [at for *_, at in later.interactions] == [at + timedelta(days=100) for *_, at in world.interactions]


def test_at_least_two_thousand_visitors_of_distinct_ids(world: seed.World) -> None:
    assert len({visitor.id for visitor in world.visitors}) == len(world.visitors) >= 2000
    assert {visitor.id for visitor in world.visitors} >= PERSONAS


def test_nothing_happens_after_now_nor_out_of_order(
    world: seed.World, histories: Mapping[str, Sequence[seed.Interaction]]
) -> None:
    assert max(at for *_, at in world.interactions) <= NOW
    assert all(one[3] <= other[3] for history in histories.values() for one, other in pairwise(history))


def test_personas_agree_with_the_levels_of_everybody_else(world: seed.World) -> None:
    for visitor in world.visitors:
        if visitor.id in PERSONAS:
            value = visitor.traits["lifetime_value"]["amount"]  # type: ignore[index]
            assert visitor.traits["tier"] == next(tier for least, tier in seed.TIERS if value >= least)
            assert visitor.traits["points"] == value // 100


def test_everything_done_is_done_by_a_visitor_to_an_item(world: seed.World, items: Mapping[str, seed.Item]) -> None:
    ids = {visitor.id for visitor in world.visitors}
    assert {who for who, *_ in world.interactions} <= ids
    assert {sku for _, sku, *_ in world.interactions} <= set(items)
    assert {kind for *_, kind, _ in world.interactions} == {"view", "cart", "purchase"}


def test_carts_hold_items_of_visitors(world: seed.World, items: Mapping[str, seed.Item]) -> None:
    ids = {visitor.id for visitor in world.visitors}
    assert len(world.carts) > 100
    for who, lines in world.carts:
        assert who in ids
        assert {line["sku"] for line in lines} <= set(items)
        assert min(line["quantity"] for line in lines) >= 1


def test_traits_agree_with_the_history(
    world: seed.World, items: Mapping[str, seed.Item], histories: Mapping[str, Sequence[seed.Interaction]]
) -> None:
    for visitor in world.visitors:
        if visitor.id in PERSONAS:
            continue
        history = histories[visitor.id]
        orders = [(sku, at) for _, sku, kind, at in history if kind == "purchase"]
        value = sum(items[sku]["price"]["amount"] for sku, _ in orders)
        assert visitor.traits["lifetime_value"] == {"amount": value, "currency": "EUR"}
        assert visitor.traits["tier"] == next(tier for least, tier in seed.TIERS if value >= least)
        latest = max((at for _, at in orders), default=None)
        assert visitor.traits.get("last_purchase_at") == (latest and latest.isoformat())
        assert ("vip" in visitor.segments) == (value >= 200_000)


def test_every_tier_segment_and_recency_occurs(world: seed.World) -> None:
    assert {visitor.traits["tier"] for visitor in world.visitors} == {"none", "silver", "gold", "platinum"}
    assert {segment for visitor in world.visitors for segment in visitor.segments} == {"vip", "deal_seekers"}
    last = [visitor.traits.get("last_purchase_at") for visitor in world.visitors]
    ages = [(NOW - datetime.fromisoformat(moment)).days for moment in last if isinstance(moment, str)]
    assert sum(age < 30 for age in ages) > 100
    assert sum(age > 183 for age in ages) > 20
    assert last.count(None) > 500
    assert sum(visitor.traits["sessions_30d"] >= 5 for visitor in world.visitors) > 50  # type: ignore[operator]


def test_visitors_have_tastes(
    items: Mapping[str, seed.Item], histories: Mapping[str, Sequence[seed.Interaction]]
) -> None:
    shares = []
    for history in histories.values():
        viewed = Counter(items[sku]["category"] for _, sku, kind, _ in history if kind == "view")
        if viewed.total() >= 10:
            shares.append(sum(times for _, times in viewed.most_common(4)) / viewed.total())
    assert len(shares) > 200
    assert mean(shares) > 0.7, "four of twelve categories; about 0.5 if visitors looked at random"


def test_visitors_keep_to_a_price_level(
    items: Mapping[str, seed.Item], histories: Mapping[str, Sequence[seed.Interaction]]
) -> None:
    by_price = sorted(items.values(), key=lambda item: item["price"]["amount"])
    rank = {
        item["sku"]: place
        for category in CATEGORIES
        for place, item in enumerate(one for one in by_price if one["category"] == category.slug)
    }
    halves = [
        (mean(ranks[::2]), mean(ranks[1::2]))
        for history in histories.values()
        if len(ranks := [rank[sku] for _, sku, kind, _ in history if kind == "view"]) >= 12
    ]
    cheap = [second for first, second in halves if first < 5]
    dear = [second for first, second in halves if first > 9]
    assert mean(dear) - mean(cheap) > 2


def test_pegs_are_bought_with_tents(
    items: Mapping[str, seed.Item], histories: Mapping[str, Sequence[seed.Interaction]]
) -> None:
    tents = {sku for sku in items if sku.startswith("TENT")}
    assert lift(histories, tents, of_family(items, "Rimfast pegs")) > 3


def test_mats_are_bought_with_sleeping_bags(
    items: Mapping[str, seed.Item], histories: Mapping[str, Sequence[seed.Interaction]]
) -> None:
    assert lift(histories, of_family(items, "Hush down bag", "Glimmer"), of_family(items, "Loft air mat")) > 3


def test_pegs_are_not_bought_with_running_shoes(
    items: Mapping[str, seed.Item], histories: Mapping[str, Sequence[seed.Interaction]]
) -> None:
    assert lift(histories, of_family(items, "Ferrety"), of_family(items, "Rimfast pegs")) < 1.3
