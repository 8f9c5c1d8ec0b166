"""Whole items that are sold, and several lists in one: whatever recommender and catalogue say."""

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.core.blend import blended
from tessera.renderer.core.ports import ListQuery, Recommended
from tessera.renderer.core.stock import Stock

STOCK = Stock(("title", "price"), "in_stock", 0.25)
POPULAR = ListQuery("popular", 8)

ids = st.sampled_from([f"S{number}" for number in range(8)])
values = st.none() | st.just("x")
flags = st.sampled_from([True, False, None])
fields = st.fixed_dictionaries({}, optional={"title": values, "price": values, "in_stock": flags})
each = st.builds(Recommended, ids, st.none() | st.floats(0, 1), fields)
recommended = st.lists(each, max_size=8, unique_by=lambda item: item.id)
kinds = st.sampled_from(["personal", "popular", "related", "category", "lookup"])


@given(
    recommended,
    st.dictionaries(ids, fields),
    st.integers(1, 10),
    st.lists(ids, max_size=3).map(tuple),
    kinds,
)
def test_whatever_is_shown_is_known_sold_wanted_and_there_once(
    items: Sequence[Recommended],
    known: Mapping[str, Mapping[str, object]],
    count: int,
    without: tuple[str, ...],
    kind: str,
) -> None:
    query = ListQuery(kind, count, without=without)  # type: ignore[arg-type]
    asked = set(STOCK.bare(items))
    sold = {sku: {"sku": sku, **each} for sku, each in known.items() if sku in asked}
    named = [Recommended(item.id, item.score, {"sku": item.id, **item.fields}) for item in items]
    shown = STOCK.whole(query, named, sold)
    skus = [str(each["sku"]) for each in shown]
    order = list(dict.fromkeys(item.id for item in items))
    assert len(skus) == len(set(skus)) <= count
    assert not set(skus) & set(without)
    assert skus == sorted(skus, key=order.index)
    for each, sku in zip(shown, skus, strict=True):
        assert sku in sold or (each["title"] is not None and each["price"] is not None)
        if kind in ("personal", "popular", "related"):
            assert each.get("in_stock") is not False or sold.get(sku, {}).get("in_stock", False) is None
        assert all(each[name] == value for name, value in sold.get(sku, {}).items() if value is not None)


def test_enough_is_asked_for_to_replace_what_is_left_out() -> None:
    assert STOCK.asked(POPULAR).at_most == 10
    assert STOCK.asked(POPULAR._replace(at_most=3)).at_most == 4
    assert STOCK.asked(POPULAR._replace(without=("a", "b"))).at_most == 12
    assert STOCK.asked(ListQuery("lookup", 8, to=("a",))).at_most == 8


def test_only_items_that_lack_what_is_needed_are_looked_up() -> None:
    whole = Recommended("whole", fields={"title": "T", "price": 1})
    half = Recommended("half", fields={"title": "T", "price": None})
    assert STOCK.bare([whole, half, Recommended("bare")]) == ["half", "bare"]
    assert STOCK.of({"title"}).bare([whole, half, Recommended("bare")]) == ["bare"]


def test_what_the_catalogue_says_counts_and_the_recommender_fills_in() -> None:
    item = Recommended("a", 0.5, {"title": "Old", "badge": "new"}, "Because", "r-1")
    assert STOCK.whole(POPULAR, [item], {"a": {"title": "New", "price": 1}}) == [
        {"score": 0.5, "reason": "Because", "attribution": "r-1", "title": "New", "badge": "new", "price": 1}
    ]


def items_of(skus: Sequence[str]) -> list[Recommended]:
    return [Recommended(sku) for sku in skus]


def test_lists_are_blended_in_proportion_to_their_weights() -> None:
    first, second = items_of([f"a{n}" for n in range(6)]), items_of([f"b{n}" for n in range(2)])
    assert [each.id for each in blended([(3, first), (1, second)])] == "a0 a1 b0 a2 a3 a4 b1 a5".split()


@given(st.lists(st.tuples(st.floats(0.1, 10), st.lists(ids, unique=True).map(items_of)), max_size=4))
def test_a_blend_has_all_items_of_all_lists_once_and_in_their_order(
    lists: list[tuple[float, list[Recommended]]],
) -> None:
    found = [each.id for each in blended(lists)]
    assert found == [each.id for each in blended(lists)]
    assert sorted(found) == sorted({each.id for _, items in lists for each in items})
    for _, items in lists[:1] if len(lists) == 1 else []:
        assert found == [each.id for each in items]
