"""Facts about events: what they come to, and until when."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.core.events import Told, told_by
from tessera.rules.facts import Fact, FactType
from tessera.rules.source import Span
from tests.support.client import NOW

DAY = timedelta(days=1)


def fact(type_: FactType, window: timedelta | None = None) -> Fact:
    span = Span("", 1, 1, 1)
    return Fact("seen", type_, "events", "private", span, event="shown", of="winter", window=window)


@pytest.mark.parametrize(
    ("type_", "window", "told"),
    [
        ("integer", None, Told(2, None)),
        ("integer", 7 * DAY, Told(1, NOW + 6 * DAY)),
        ("integer", DAY, Told(0, None)),
        ("boolean", None, Told(True, None)),
        ("boolean", DAY, Told(False, None)),
        ("timestamp", 7 * DAY, Told(NOW - DAY, NOW + 6 * DAY)),
        ("timestamp", DAY, Told(None, None)),
    ],
)
def test_what_events_come_to(type_: FactType, window: timedelta | None, told: Told) -> None:
    moments = {("shown", "winter"): [NOW - DAY, NOW - 9 * DAY], ("dismissed", "winter"): [NOW]}
    assert told_by(fact(type_, window), moments, NOW) == told


def test_without_events_a_count_is_zero_and_the_last_time_unknown() -> None:
    assert [told_by(fact(each), {}, NOW).value for each in ("integer", "boolean", "timestamp")] == [0, False, None]


@given(
    st.sampled_from(["integer", "boolean", "timestamp"]),
    st.lists(st.integers(0, 100_000)),
    st.integers(1, 100_000),
    st.integers(0, 999_999),
)
def test_a_fact_holds_until_it_says(type_: FactType, ago: list[int], window: int, millionths: int) -> None:
    asked = fact(type_, timedelta(seconds=window))
    moments: dict[tuple[str, str], list[datetime]] = {
        ("shown", "winter"): [NOW - timedelta(seconds=each) for each in ago]
    }
    value, until = told_by(asked, moments, NOW)
    later = NOW + ((until or NOW + DAY) - NOW) * millionths // 1_000_000
    assert told_by(asked, moments, later).value == value
    assert until is None or told_by(asked, moments, until).value != value
