"""Foreign values made into declared ones."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.rules.facts import TYPES, Fact, FactType, Misfit, Value, coerce
from tessera.rules.values import Location, Version
from tests.rules.worlds import NOWHERE

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def fact(type_: FactType, one_of: tuple[str, ...] | None = None) -> Fact:
    unit = "EUR" if type_ == "money" else None
    return Fact("visitor.x", type_, "profile", "private", NOWHERE, one_of, unit)


@pytest.mark.parametrize(
    ("type_", "raw", "value"),
    [
        ("boolean", True, True),
        ("boolean", "False", False),
        ("boolean", 1, True),
        ("integer", 3, 3),
        ("integer", "-3", -3),
        ("integer", 3.0, 3),
        ("decimal", "342.1", Decimal("342.1")),
        ("decimal", 342.1, Decimal("342.1")),
        ("decimal", Decimal("1E+3"), Decimal(1000)),
        ("money", 49.9, 4990),
        ("money", "49.90", 4990),
        ("money", {"amount": 4990, "currency": "EUR"}, 4990),
        ("string", "Köln", "Köln"),
        ("string", 42, "42"),
        ("set", ["b", "a", "b"], frozenset({"a", "b"})),
        ("set", "a, b,", frozenset({"a", "b"})),
        ("set", [], frozenset()),
        ("timestamp", "2026-11-24T13:00:00+01:00", NOON),
        ("timestamp", "2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
        ("timestamp", int(NOON.timestamp()), NOON),
        ("timestamp", NOON.astimezone(), NOON),
        ("duration", 90, timedelta(seconds=90)),
        ("duration", "90", timedelta(seconds=90)),
        ("duration", "2 hours", timedelta(hours=2)),
        ("duration", timedelta(1), timedelta(1)),
        ("version", "2.10", Version((2, 10))),
        ("version", Version((3,)), Version((3,))),
        ("location", "52.52, 13.40", Location(52.52, 13.4)),
        ("location", {"lat": 52.52, "lon": "13.4"}, Location(52.52, 13.4)),
        ("location", Location(1, 2), Location(1, 2)),
    ],
)
def test_what_fits(type_: FactType, raw: object, value: Value) -> None:
    assert coerce(fact(type_), raw) == value
    assert type(coerce(fact(type_), raw)) is type(value)


@pytest.mark.parametrize(
    ("type_", "raw", "message"),
    [
        ("boolean", "yes", "`yes` is neither true nor false"),
        ("boolean", None, "nothing is neither true nor false"),
        ("integer", "3.5", "`3.5` is not a whole number"),
        ("integer", True, "`True` is not a number"),
        ("integer", [3], "a list is not a number"),
        ("integer", 10**400, "the number is not finite, or too large"),
        ("decimal", "1e3", "`1e3` is not a number"),
        ("decimal", float("nan"), "the number is not finite, or too large"),
        ("money", "49.905", "`49.905` is not an amount of EUR, which has 2 decimals"),
        ("money", {"amount": 4990, "currency": "USD"}, "the amount is in `USD`, not in EUR"),
        ("string", {"a": 1}, "an object is not text"),
        ("string", "\ud800", "the text holds half of a surrogate pair"),
        ("set", 3, "`3` is not a list of texts"),
        ("set", ["a", 1.5], "`1.5` is not text"),
        ("timestamp", "yesterday", "`yesterday` is not a moment, such as `2026-11-24` or `2026-11-24T10:00+01:00`"),
        ("timestamp", "2026-11-24T10:00", "`2026-11-24T10:00:00` lacks an offset from UTC, such as `Z` or `+01:00`"),
        ("timestamp", 10**17, f"`{10**17}` is not in the calendar"),
        ("duration", "3 months", "`3 months` has no fixed length: months differ"),
        ("version", "two", "`two` is not a version, such as `2.10.0`"),
        ("location", "91, 0", "`91.0, 0.0` is outside the Earth's degrees"),
    ],
)
def test_what_does_not_fit(type_: FactType, raw: object, message: str) -> None:
    with pytest.raises(Misfit) as misfit:
        coerce(fact(type_), raw)
    assert str(misfit.value) == message


@pytest.mark.parametrize("type_", ["string", "enumeration", "set"])
def test_values_outside_the_declared_ones_do_not_fit(type_: FactType) -> None:
    assert coerce(fact(type_, ("a", "b")), "a") in ("a", frozenset("a"))
    with pytest.raises(Misfit, match="`c` is not one of a, b"):
        coerce(fact(type_, ("a", "b")), "c")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(TYPES), JSON | st.decimals() | st.datetimes() | st.timedeltas())
def test_any_foreign_value_fits_or_is_a_misfit(type_: FactType, raw: object) -> None:
    with suppress(Misfit):
        value = coerce(fact(type_), raw)
        assert type_ == "money" or coerce(fact(type_), value) == value
