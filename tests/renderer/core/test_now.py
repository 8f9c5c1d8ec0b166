"""`now` of templates: rounded down on the wall clock of the site's zone, part of the key, bound to the lifetime."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tessera.renderer.core.inputs import Gathered, InputsPlan
from tessera.renderer.core.now import GRANULES, granule, now_facts, now_of

ZONES = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Apia",
    "America/Sao_Paulo",
]
MOMENTS = st.datetimes(datetime(1987, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
NEAR_CHANGES = st.sampled_from(
    [
        datetime(2026, 3, 29, 1, tzinfo=UTC),  # Berlin, forward
        datetime(2026, 10, 25, 1, tzinfo=UTC),  # Berlin, back
        datetime(2026, 4, 4, 15, tzinfo=UTC),  # Lord Howe, half an hour back
        datetime(2010, 11, 7, 2, 31, tzinfo=UTC),  # St John's, at a minute past midnight
        datetime(2011, 12, 30, 10, tzinfo=UTC),  # Apia, a whole day skipped
        datetime(2018, 2, 18, 2, tzinfo=UTC),  # São Paulo, back over midnight
        datetime(2018, 11, 4, 3, tzinfo=UTC),  # São Paulo, midnight skipped
    ]
)
SHIFTS = st.integers(-100_000, 100_000).map(lambda seconds: timedelta(seconds=seconds))
ANY_MOMENT = MOMENTS | st.builds(lambda moment, shift: moment + shift, NEAR_CHANGES, SHIFTS)


@given(st.sampled_from(sorted(GRANULES)), st.sampled_from(ZONES), ANY_MOMENT, st.floats(0, 1))
def test_until_a_granule_ends_its_value_is_the_same_and_no_later_than_now(
    name: str, zone: str, moment: datetime, share: float
) -> None:
    value, until = granule(name, ZoneInfo(zone), moment)
    assert moment < until
    last = until - timedelta(microseconds=1)
    assert granule(name, ZoneInfo(zone), min(moment + (until - moment) * share, last)).value == value
    assert granule(name, ZoneInfo(zone), last).value == value


@given(st.sampled_from(ZONES), ANY_MOMENT)
def test_a_day_is_the_one_on_the_wall(zone: str, moment: datetime) -> None:
    wall = ZoneInfo(zone)
    value = granule("day", wall, moment).value
    assert value <= moment
    assert value.astimezone(wall).date() == moment.astimezone(wall).date()


@pytest.mark.parametrize(
    ("name", "zone", "written"),
    [
        ("minute", "UTC", "2026-11-23 13:47"),
        ("quarter_hour", "UTC", "2026-11-23 13:45"),
        ("hour", "UTC", "2026-11-23 13:00"),
        ("hour", "Asia/Kolkata", "2026-11-23 19:00"),
        ("day", "Asia/Kolkata", "2026-11-23 00:00"),
        ("day", "Pacific/Apia", "2026-11-24 00:00"),
    ],
)
def test_a_granule_begins_on_the_wall_clock(name: str, zone: str, written: str) -> None:
    value = granule(name, ZoneInfo(zone), datetime(2026, 11, 23, 13, 47, 12, tzinfo=UTC)).value
    assert f"{value.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" == written


@given(st.sampled_from(sorted(GRANULES)), st.sampled_from(ZONES), ANY_MOMENT, SHIFTS)
@example("hour", "America/Sao_Paulo", datetime(2018, 2, 18, 2, tzinfo=UTC), timedelta(seconds=-1))
def test_moments_of_one_granule_have_one_key_and_others_have_another(
    name: str, zone: str, moment: datetime, shift: timedelta
) -> None:
    facts = now_facts(ZoneInfo(zone))
    plan = InputsPlan("v", [("now", name)], facts, [])
    work_out = now_of(facts[f"now.{name}"])
    one, other = (Gathered({f"now.{name}": work_out({}, each).value}) for each in (moment, moment + shift))
    seen = [str(plan.inputs(each)) for each in (one, other)]  # which tells the two hours of a clock set back apart
    assert (plan.key(one) == plan.key(other)) == (seen[0] == seen[1]) == (one == other)
