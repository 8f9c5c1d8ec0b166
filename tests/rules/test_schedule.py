"""Time windows: what authors may write, and exactness at every minute against a clock read naively."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.rules.schedule import WindowError, parse_window

MINUTE = timedelta(minutes=1)
BERLIN = "Europe/Berlin"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def state(during: Mapping[str, object], now: str, visitor_zone: str | None = None) -> tuple[bool | None, str | None]:
    is_open, until = parse_window(during).state(moment(now), visitor_zone)
    return is_open, until.isoformat("T", "minutes").removesuffix("+00:00") + "Z" if until else None


def test_office_hours_hold_until_they_close() -> None:
    during = {"days": "mon-fri", "hours": "09:00-17:00", "zone": BERLIN}
    assert state(during, "2026-11-24T10:00+01:00") == (True, "2026-11-24T16:00Z")


def test_office_hours_stay_closed_over_the_weekend() -> None:
    during = {"days": "mon-fri", "hours": "09:00-17:00", "zone": BERLIN}
    assert state(during, "2026-11-27T17:00+01:00") == (False, "2026-11-30T08:00Z")


def test_overnight_hours_belong_to_the_day_on_which_they_start() -> None:
    during = {"days": "fri", "hours": "22:00-06:00"}
    assert state(during, "2026-11-28T05:59Z") == (True, "2026-11-28T06:00Z")
    assert state(during, "2026-11-27T05:59Z") == (False, "2026-11-27T22:00Z")


def test_until_a_date_ends_with_the_day_before() -> None:
    during = {"from": "2026-11-20", "until": "2026-12-01", "zone": BERLIN}
    assert state(during, "2026-11-19T23:59+01:00") == (False, "2026-11-19T23:00Z")
    assert state(during, "2026-11-30T23:59+01:00") == (True, "2026-11-30T23:00Z")
    assert state(during, "2026-12-01T00:00+01:00") == (False, None)


def test_before_its_start_a_window_names_its_first_opening() -> None:
    during = {"from": "2026-11-21", "hours": "09:00-17:00", "days": "mon-fri"}
    assert state(during, "2026-01-01T00:00Z") == (False, "2026-11-23T09:00Z")


def test_after_its_last_opening_a_window_is_closed_for_good() -> None:
    during = {"until": "2026-11-28", "hours": "09:00-17:00", "days": "mon-fri"}
    assert state(during, "2026-11-27T17:00Z") == (False, None)


def test_hours_within_a_skipped_hour_do_not_open() -> None:
    during = {"hours": "02:15-02:45", "zone": BERLIN}
    assert state(during, "2026-03-28T12:00Z") == (False, "2026-03-30T00:15Z")


def test_hours_within_a_repeated_hour_open_twice() -> None:
    during = {"hours": "02:15-02:45", "zone": BERLIN}
    assert state(during, "2026-10-25T00:45Z") == (False, "2026-10-25T01:15Z")


def test_a_start_that_daylight_saving_skips_counts_with_the_offset_before() -> None:
    assert state({"from": "2026-03-29T02:30", "zone": BERLIN}, "2026-03-29T00:00Z") == (False, "2026-03-29T01:30Z")


def test_a_start_that_daylight_saving_repeats_is_its_first_occurrence() -> None:
    assert state({"from": "2026-10-25T02:30", "zone": BERLIN}, "2026-10-25T00:00Z") == (False, "2026-10-25T00:30Z")


def test_days_named_together_must_all_hold() -> None:
    first_monday = {"days": "mon", "month_days": "1-7"}
    assert state(first_monday, "2026-11-03T00:00Z") == (False, "2026-12-07T00:00Z")


def test_the_last_day_of_a_month_is_its_own() -> None:
    assert state({"month_days": ["last"]}, "2028-02-01T00:00Z") == (False, "2028-02-29T00:00Z")
    assert state({"month_days": [1, 15, "last"]}, "2026-04-30T12:00Z") == (True, "2026-05-02T00:00Z")


def test_a_leap_day_recurs_in_leap_years_only() -> None:
    assert state({"dates": ["02-29"]}, "2026-01-01T00:00Z") == (False, "2028-02-29T00:00Z")
    assert state({"dates": ["02-29"]}, "2096-03-01T00:00Z") == (False, "2104-02-29T00:00Z")


def test_a_date_with_its_year_happens_once() -> None:
    during = {"dates": "2026-12-24, 12-31"}
    assert state(during, "2026-12-01T00:00Z") == (False, "2026-12-24T00:00Z")
    assert state(during, "2027-12-01T00:00Z") == (False, "2027-12-31T00:00Z")
    assert state({"dates": "2090-04-01"}, "2026-01-01T00:00Z") == (False, "2090-04-01T00:00Z")
    assert state({"dates": "2026-12-24"}, "2026-12-25T00:00Z") == (False, None)


def test_a_clock_set_back_over_midnight_brings_back_the_day_before() -> None:
    during = {"dates": "2026-04-04", "hours": "22:00-23:30", "zone": "America/Santiago"}
    assert state(during, "2026-04-05T02:45Z") == (False, "2026-04-05T03:00Z")
    assert state(during, "2026-04-05T03:00Z") == (True, "2026-04-05T03:30Z")
    assert state(during, "2026-04-05T03:30Z") == (False, None)


def test_days_and_months_may_run_past_their_last() -> None:
    assert parse_window({"days": "fri-mon"}) == parse_window({"days": ["sun", "mon", "fri", "sat"]})
    assert parse_window({"months": "nov-feb"}) == parse_window({"months": "jan, feb, nov, dec"})


def test_the_visitor_zone_decides_where_the_window_asks_for_it() -> None:
    during = {"hours": "09:00-17:00", "zone": "visitor"}
    assert state(during, "2026-11-24T08:00Z", BERLIN) == (True, "2026-11-24T16:00Z")
    assert state(during, "2026-11-24T08:00Z", "America/New_York") == (False, "2026-11-24T14:00Z")


@pytest.mark.parametrize("visitor_zone", [None, "", "Mars/Olympus", "../../etc/passwd", "Europe", "\0"])
def test_without_a_visitor_zone_it_is_unknown(visitor_zone: str | None) -> None:
    assert state({"hours": "09:00-17:00", "zone": "visitor"}, "2026-11-24T08:00Z", visitor_zone) == (None, None)


def test_without_a_visitor_zone_what_is_closed_everywhere_is_closed() -> None:
    during = {"from": "2026-11-20", "until": "2026-12-01", "zone": "visitor"}
    assert state(during, "2026-11-19T09:59Z") == (False, "2026-11-19T10:00Z")
    assert state(during, "2026-11-19T10:00Z") == (None, "2026-12-01T12:00Z")
    assert state(during, "2026-12-01T12:00Z") == (False, None)


def test_moments_with_an_offset_need_no_visitor_zone() -> None:
    during = {"from": "2026-11-20T09:00+01:00", "zone": "visitor"}
    assert state(during, "2026-11-20T08:00Z") == (True, None)


def test_the_site_default_zone_holds_where_none_is_written() -> None:
    assert parse_window({"hours": "09:00-17:00"}, BERLIN) == parse_window({"hours": "09:00-17:00", "zone": BERLIN})


@pytest.mark.parametrize(
    ("during", "message", "key", "help"),
    [
        ({"day": "mon"}, "unknown key `day`", "day", "did you mean `days`?"),
        ({"weather": "mild"}, "unknown key `weather`", "weather", None),
        ({}, "this window sets no limit", "", "leave `during` out for a rule that always holds"),
        ({"zone": BERLIN}, "this window sets no limit", "", "leave `during` out for a rule that always holds"),
        (
            {"days": "mon-fry"},
            "`mon-fry` is no day of the week",
            "days",
            "days are mon, tue, wed, thu, fri, sat, sun, or a range such as mon-fri",
        ),
        ({"months": "13"}, "`13` is no month", "months", "months are jan to dec, or a range such as nov-feb"),
        (
            {"month_days": [1, 32]},
            "`32` is no day of a month",
            "month_days",
            "days of the month are 1 to 31, last, or a range such as 1-7",
        ),
        (
            {"days": []},
            "`days` is neither a value nor a list of values",
            "days",
            "days are mon, tue, wed, thu, fri, sat, sun, or a range such as mon-fri",
        ),
        (
            {"dates": ["02-30"]},
            "`02-30` is no date",
            "dates",
            "write a date as 12-24 for every year, or as 2026-12-24 for one",
        ),
        (
            {"hours": "9-17"},
            "`9-17` is no range of hours",
            "hours",
            'write the hours as "09:00-17:00", or overnight as "22:00-06:00"',
        ),
        (
            {"hours": "09:00-24:30"},
            "`09:00-24:30` is no range of hours",
            "hours",
            'write the hours as "09:00-17:00", or overnight as "22:00-06:00"',
        ),
        (
            {"hours": "09:00-09:00"},
            "`09:00-09:00` opens and closes at the same time",
            "hours",
            "leave `hours` out for the whole day",
        ),
        (
            {"hours": ["09:00-17:00"]},
            "`hours` must be one value",
            "hours",
            'write the hours as "09:00-17:00", or overnight as "22:00-06:00"',
        ),
        (
            {"from": "2026-11-31"},
            "`2026-11-31` is no date or time",
            "from",
            "write a date, `2026-11-20`, or a date and time, `2026-11-20T09:00`, with or without an offset",
        ),
        (
            {"until": "9999-12-31"},
            "`9999-12-31` is no date or time",
            "until",
            "write a date, `2026-12-01`, or a date and time, `2026-12-01T18:00`, with or without an offset",
        ),
        ({"from": "2026-12-01", "until": "2026-12-01"}, "`until` is not after `from`", "until", None),
        (
            {"hours": "09:00-17:00", "zone": "Berlin"},
            "`Berlin` is no time zone",
            "zone",
            "write an IANA name such as `Europe/Berlin`, or `visitor` for the visitor's own zone",
        ),
        ({"months": "feb", "month_days": [30, 31], "zone": "visitor"}, "this window never opens", "", None),
        ({"from": "2026-11-21", "until": "2026-11-23", "days": "mon-fri"}, "this window never opens", "", None),
        ({"dates": "2026-03-29", "hours": "02:10-02:50", "zone": BERLIN}, "this window never opens", "", None),
    ],
)
def test_what_cannot_be_meant_is_refused(
    during: Mapping[str, object], message: str, key: str, help: str | None
) -> None:
    with pytest.raises(WindowError) as caught:
        parse_window(during)
    assert (str(caught.value), caught.value.key, caught.value.help) == (message, key, help)


DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ZONES = ["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago", "Pacific/Apia"]

# The days around which clocks change in those zones, month ends, a leap day, and Apia's missing day.
EVENTFUL = ["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04", "2026-09-06"]
EVENTFUL += ["2028-02-28", "2026-12-31", "2011-12-30"]

clock_minutes = st.integers(0, 23 * 60 + 59) | st.sampled_from([0, 120, 150, 180, 1_380, 1_410])
eventful_minutes = st.builds(
    lambda day, minutes: moment(f"{day}T00:00+00:00") + minutes * MINUTE,
    st.sampled_from(EVENTFUL),
    st.integers(-3 * 1_440, 3 * 1_440),
)


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def durings(draw: st.DrawFn) -> dict[str, object]:
    during: dict[str, object] = {"zone": draw(st.sampled_from([*ZONES, "visitor"]))}
    some = {
        "days": st.lists(st.sampled_from(DAYS), min_size=1, unique=True),
        "hours": st.lists(clock_minutes, min_size=2, max_size=2, unique=True).map(
            lambda pair: f"{clock(pair[0])}-{clock(pair[1])}"
        ),
        "month_days": st.lists(st.integers(1, 31) | st.just("last"), min_size=1, max_size=6),
        "months": st.lists(st.sampled_from(["jan", "mar", "apr", "oct", "nov"]), min_size=1, unique=True),
        "dates": st.lists(st.sampled_from([*EVENTFUL, "03-29", "11-01", "02-29"]), min_size=1, max_size=5),
        "from": eventful_minutes.map(lambda at: f"{at:%Y-%m-%dT%H:%M}"),
        "until": eventful_minutes.map(lambda at: f"{at:%Y-%m-%dT%H:%M}"),
    }
    for key in draw(st.lists(st.sampled_from(list(some)), min_size=1, max_size=3, unique=True)):
        during[key] = draw(some[key])
    return during


def is_open(during: Mapping[str, object], at: datetime, zone: ZoneInfo) -> bool:
    """What the window means, read naively off one moment."""
    bounds = {key: moment(str(during[key])).replace(tzinfo=zone) for key in ("from", "until") if key in during}
    if at < bounds.get("from", at).astimezone(UTC) or ("until" in bounds and at >= bounds["until"].astimezone(UTC)):
        return False
    wall = at.astimezone(zone).replace(tzinfo=None)
    opens, closes = str(during.get("hours", "00:00-24:00")).split("-")
    if opens < closes:
        return opens <= f"{wall:%H:%M}" < closes and is_open_day(during, wall)
    if f"{wall:%H:%M}" < closes:
        return is_open_day(during, wall - timedelta(days=1))
    return f"{wall:%H:%M}" >= opens and is_open_day(during, wall)


def is_open_day(during: Mapping[str, object], day: datetime) -> bool:
    month_day: list[object] = [day.day]
    if day.day == monthrange(day.year, day.month)[1]:
        month_day.append("last")
    shown: dict[str, list[object]] = {
        "days": [DAYS[day.weekday()]],
        "months": [f"{day:%b}".lower()],
        "month_days": month_day,
        "dates": [f"{day:%m-%d}", f"{day:%Y-%m-%d}"],
    }
    return all(any(name in during[key] for name in names) for key, names in shown.items() if key in during)  # type: ignore[operator]


@given(durings(), eventful_minutes, st.sampled_from(ZONES))
def test_a_window_is_open_whenever_the_clock_says_so_and_until_it_says_otherwise(
    during: dict[str, object], now: datetime, visitor_zone: str
) -> None:
    try:
        window = parse_window(during)
    except WindowError:
        return
    zone = ZoneInfo(visitor_zone if during["zone"] == "visitor" else str(during["zone"]))
    found = window.state(now + timedelta(seconds=59, microseconds=999_999), visitor_zone)
    assert found.open == is_open(during, now, zone)
    for minute in range(1, 2 * 1_440):
        at = now + minute * MINUTE
        changed = is_open(during, at, zone) != found.open
        assert changed == (at == found.until)
        if changed:
            break


@given(durings(), eventful_minutes, st.sampled_from(ZONES))
def test_a_change_announced_far_ahead_comes_and_nothing_comes_before(
    during: dict[str, object], now: datetime, visitor_zone: str
) -> None:
    try:
        window = parse_window(during)
    except WindowError:
        return
    zone = ZoneInfo(visitor_zone if during["zone"] == "visitor" else str(during["zone"]))
    found = window.state(now, visitor_zone)
    last = now + timedelta(days=500)
    if found.until is not None:
        assert is_open(during, found.until, zone) != found.open
        assert is_open(during, found.until - MINUTE, zone) == found.open
        last = min(last, found.until)
    at = now
    while at < last:
        assert is_open(during, at, zone) == found.open
        at += timedelta(minutes=397)
