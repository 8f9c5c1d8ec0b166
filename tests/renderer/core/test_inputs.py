"""Keys: distinct inputs have distinct ones, and a fragment's tags are a function of its key."""

import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup

from tessera.renderer.core.inputs import Gathered, InputsPlan, Items, canonical
from tessera.renderer.core.paths import Path
from tessera.renderer.core.tags import Tags
from tessera.rules.evaluate import Assignment
from tessera.rules.facts import Fact, FactType, Value
from tessera.rules.source import Span

ZONES = [UTC, timezone(timedelta(hours=1)), ZoneInfo("Europe/Berlin"), ZoneInfo("Africa/Lagos"), ZoneInfo("UTC")]
NIGHT = datetime(2026, 10, 25, tzinfo=UTC)
"""In it, Berlin's clocks go back."""

moments = st.builds(
    lambda minutes, zone, fold: (NIGHT + timedelta(minutes=minutes)).replace(tzinfo=zone, fold=fold),
    st.integers(0, 240),
    st.sampled_from(ZONES),
    st.sampled_from([0, 1]),
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.sampled_from([0.0, -0.0, 1.0, float("inf"), -float("inf"), float("nan")]),
    st.floats(),
    st.sampled_from([Decimal("1"), Decimal("1.0"), Decimal("1.00"), Decimal("-0"), Decimal("NaN"), Decimal("1E+2")]),
    st.decimals(),
    st.sampled_from(["", "1", "None", "True", "1.0", "'", '"', "\\", "\\'", "', '", "\ud800", "é", "e\u0301", "\0"]),
    st.text(alphabet=st.characters(exclude_categories=[]), max_size=4),
    st.text(max_size=3).map(Markup),
    moments,
    st.timedeltas(timedelta(days=-2), timedelta(days=2)),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=2), inner, max_size=3),
    ),
    max_leaves=6,
)


def written(value: object) -> object:
    """Write a value so that what a template could tell apart is apart: a model of the encoding, by types and parts."""
    if isinstance(value, float):
        return "float", "nan" if value != value else struct.pack(">d", value)
    if isinstance(value, Decimal):
        return "decimal", value.as_tuple() if not value.is_nan() else str(value)
    if isinstance(value, datetime):
        return "moment", value.timetuple()[:6], value.microsecond, value.fold, repr(value.tzinfo)
    if isinstance(value, Mapping):
        return "dict", tuple((written(name), written(each)) for name, each in value.items())
    if isinstance(value, list | tuple):
        return type(value).__name__, tuple(map(written, value))
    return type(value).__name__, value


@given(values, values)
@example(True, 1)
@example(1, 1.0)
@example(0.0, -0.0)
@example([1, [2]], [[1], 2])
@example(["a", "b"], ["a', 'b"])
@example(Decimal("1.0"), Decimal("1.00"))
@example({"a": None}, {})
@example("a", Markup("a"))
@example(datetime(2026, 10, 25, 2, 30, tzinfo=ZONES[2]), datetime(2026, 10, 25, 2, 30, tzinfo=ZONES[2], fold=1))
@example(datetime(2026, 1, 1, 1, tzinfo=ZONES[1]), datetime(2026, 1, 1, tzinfo=UTC))
def test_two_values_are_encoded_alike_only_if_nothing_can_tell_them_apart(one: object, other: object) -> None:
    assert (canonical(one) == canonical(other)) == (written(one) == written(other))


@given(st.lists(values, max_size=3), st.data())
def test_moving_a_value_into_its_neighbour_shows(several: list[object], data: st.DataObject) -> None:
    """What is encoded side by side cannot run together, wherever it is cut."""
    cut = data.draw(st.integers(0, len(several)))
    split = [several[:cut], several[cut:]]
    assert canonical(split) != canonical(several) or written(split) == written(several)


KINDS: Mapping[FactType, st.SearchStrategy[Value]] = {
    "boolean": st.booleans(),
    "integer": st.integers(-2, 2),
    "decimal": st.sampled_from(
        [Decimal("1"), Decimal("1.0"), Decimal("0"), Decimal("-0"), Decimal("1E+1"), Decimal(10)]
    ),
    "string": st.sampled_from(["", "1", "True", "None"]),
    "set": st.frozensets(st.sampled_from("abc")),
    "timestamp": st.integers(0, 2).map(lambda second: NIGHT + timedelta(seconds=second)),
    "duration": st.timedeltas(timedelta(0), timedelta(seconds=2)),
}
FACTS: Mapping[str, Fact] = {
    f"visitor.{kind}": Fact(f"visitor.{kind}", kind, "profile", "private", Span("", 1, 1, 1)) for kind in KINDS
}
known = st.fixed_dictionaries({}, optional={f"visitor.{kind}": drawn for kind, drawn in KINDS.items()})
demanded = st.lists(st.sampled_from([("visitor", kind) for kind in KINDS]), unique=True)


@given(st.lists(known, min_size=2, max_size=4), demanded)
def test_what_is_remembered_of_equal_values_is_not_taken_for_others(
    visitors: list[dict[str, Value]], demands: list[tuple[str, str]]
) -> None:
    """One plan sees all visitors in turn, another one each alone: the keys are those that fresh plans give."""
    together = InputsPlan("1", demands, FACTS, ())
    for facts in visitors:
        alone = InputsPlan("1", demands, FACTS, ())
        assert together.key(Gathered(facts)) == alone.key(Gathered(facts))
    for one in visitors:
        for other in visitors:
            seen = [canonical(together.inputs(Gathered(facts))) for facts in (one, other)]
            keys = [together.key(Gathered(facts)) for facts in (one, other)]
            assert keys[0] != keys[1] or seen[0] == seen[1]


CTA = {"id": "look", "text": "Look", "message": None, "url": "/", "goal": "visit"}
FIELDS = ("sku", "title")
gathered = st.builds(
    lambda cta, skus, sku, arm: Gathered(
        {},
        {**CTA, "id": cta},
        Items([{"sku": each, "title": "Same"} for each in skus]),
        Items([{"sku": sku, "title": "Same"}]),
        Assignment("colours", arm, 1) if arm else None,
    ),
    st.sampled_from(["look", "see"]),
    st.lists(st.sampled_from("ABC"), max_size=2),
    st.sampled_from("AB"),
    st.sampled_from(["", "red", "blue"]),
)
paths = st.lists(
    st.sampled_from([("cta", "text"), ("items", "[]", "title"), ("items", "#"), ("item", "title")]), unique=True
)


@given(gathered, gathered, paths)
def test_the_tags_are_a_function_of_the_key(one: Gathered, other: Gathered, demands: list[tuple[str, ...]]) -> None:
    plan = InputsPlan("1", demands, {}, FIELDS)
    if plan.key(one) == plan.key(other):
        tags = Tags("home/hero.liquid", None, plan)
        assert tags.of(one) == tags.of(other)
        assert plan.cta is None or (one.cta or {})["id"] == (other.cta or {})["id"]


def test_every_item_that_is_looked_at_is_among_the_tags_and_no_other() -> None:
    shown = Gathered({}, None, Items([{"sku": "A", "title": "x"}, {"sku": "B", "title": "y"}]), Items([{"sku": "C"}]))
    expected: list[tuple[list[Path], tuple[str, ...]]] = [
        ([("items", "[]", "title")], ("item:A", "item:B")),
        ([("items", "#")], ()),
        ([("item", "title")], ("item:C",)),
        ([], ()),
    ]
    for demands, tags in expected:
        plan = InputsPlan("1", demands, {}, FIELDS)
        assert Tags("a.liquid", None, plan).of(shown) == ("template:a.liquid", *tags)


def test_a_key_is_told_by_its_paths_without_any_value() -> None:
    plan = InputsPlan("1", [("visitor",), ("cta", "text"), ("items", "[]", "title")], FACTS, FIELDS)
    assert plan.parts == ("cta.id", "cta.text", "items[].sku", "items[].title", *sorted(FACTS))
