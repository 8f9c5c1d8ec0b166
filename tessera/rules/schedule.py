"""Time windows: the `during` of a rule, in an IANA zone or in the visitor's own.

What recurs (days, dates, hours) is read off a clock on the wall: a window is open whenever a clock that shows the
zone's local time reads a moment inside it. Where daylight saving ends, a repeated hour is therefore open both times;
where it begins, a skipped hour is not there, and a window around it is that much shorter. Overnight hours belong to
the day on which they start. A day must satisfy every key given: `days: mon` with `month_days: 1-7` is the first Monday.

`from` and `until` are moments, the first included, the last not; a date means the start of that day, so that
`until: 2026-12-01` is open through 30 November. Without an offset they are read in the zone, where RFC 5545 section
3.3.5 settles what daylight saving leaves unclear: a repeated time is its first occurrence, a skipped one counts with
the offset before the skip. Hence a window until X and one from X meet without gap or overlap, whatever X is.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tessera.rules.wallclock import DAY, EPOCH, FOREVER, HOUR, SECOND, Recurrence, recur, to_utc

VISITOR = "visitor"
KEYS = ("from", "until", "days", "hours", "month_days", "months", "dates", "zone")

_NAMES = {
    "days": ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    "months": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "month_days": (*map(str, range(1, 32)), "last"),
}
_HELP = {
    "from": "write a date, `2026-11-20`, or a date and time, `2026-11-20T09:00`, with or without an offset",
    "until": "write a date, `2026-12-01`, or a date and time, `2026-12-01T18:00`, with or without an offset",
    "days": "days are mon, tue, wed, thu, fri, sat, sun, or a range such as mon-fri",
    "hours": 'write the hours as "09:00-17:00", or overnight as "22:00-06:00"',
    "month_days": "days of the month are 1 to 31, last, or a range such as 1-7",
    "months": "months are jan to dec, or a range such as nov-feb",
    "dates": "write a date as 12-24 for every year, or as 2026-12-24 for one",
    "zone": "write an IANA name such as `Europe/Berlin`, or `visitor` for the visitor's own zone",
}
_NOUNS = {"days": "no day of the week", "months": "no month", "month_days": "no day of a month"}
_YEARS = range(1970, 3000)
_LEAP_YEAR = 2000
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_HOURS = re.compile(r"(\d\d?):([0-5]\d) *- *(\d\d?):([0-5]\d)", re.ASCII)
_DATE = re.compile(r"(?:(\d{4})-)?(\d\d)-(\d\d)", re.ASCII)

_UTC = ZoneInfo("UTC")

# Local time on Earth is between 12 hours behind UTC and 14 ahead (https://www.iana.org/time-zones).
_EARLIEST_ZONE = 14 * HOUR
_LATEST_ZONE = -12 * HOUR


class WindowError(ValueError):
    """What is wrong with a `during`: `key` is the key at fault, empty for the whole; `help` may be None."""

    def __init__(self, message: str, key: str, help: str | None) -> None:
        super().__init__(message)
        self.key = key
        self.help = help


class WindowState(NamedTuple):
    """Whether a window is open (None: it depends on the visitor's zone, which is unknown), and until when that holds.

    `until` is in UTC, and None when it holds for good.
    """

    open: bool | None
    until: datetime | None


class _Bound(NamedTuple):
    """An end of a window, in seconds since 1970: UTC, or `local` time of a zone known only per visitor."""

    second: int
    local: bool


_ALWAYS = _Bound(-FOREVER, local=False)
_NEVER = _Bound(FOREVER, local=False)
_FOREVER_AWAY = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """A parsed `during`. Equal windows are equal and hash alike; `zone` is None for the visitor's own."""

    start: _Bound
    end: _Bound
    recurrence: Recurrence | None
    zone: ZoneInfo | None

    def state(self, now: datetime, visitor_zone: str | None) -> WindowState:
        """Whether the window is open at `now` (aware), and the next moment at which that changes; takes microseconds.

        `visitor_zone` is an IANA name. Where it is needed and missing, or names no zone, the window is closed only when
        it is closed everywhere on Earth, and `until` is when that next changes.
        """
        zone = _find_zone(visitor_zone) if self.zone is None else self.zone
        second = (now - EPOCH) // SECOND
        start, end = _moment(self.start, zone, _EARLIEST_ZONE), _moment(self.end, zone, _LATEST_ZONE)
        if second >= end:
            return WindowState(False, None)
        is_open: bool | None
        if zone is None:
            is_open, change = None, FOREVER
        elif self.recurrence is None:
            is_open, change = True, FOREVER
        else:
            is_open, change = self.recurrence.at(max(second, start), zone)
        if second < start:
            is_open, change = False, change if is_open is False else start
        if change >= end:
            change = FOREVER if is_open is False else end
        return WindowState(is_open, None if change >= FOREVER else datetime.fromtimestamp(change, UTC))


class Watched:
    """A window whose state is worked out when it changes, not each time that it is asked for."""

    __slots__ = ("_known", "_window")

    def __init__(self, window: Window) -> None:
        self._window = window
        self._known = (EPOCH, EPOCH, WindowState(None, None))

    def state(self, now: datetime, visitor_zone: str | None) -> WindowState:
        """The same as `Window.state` has it."""
        since, until, state = self._known
        if since <= now < until:
            return state
        state = self._window.state(now, visitor_zone)
        if self._window.zone is not None:  # in a visitor's own zone it is another state for each of them
            self._known = (now, state.until or _FOREVER_AWAY, state)
        return state


def parse_window(mapping: Mapping[str, object], default_zone: str = "UTC") -> Window:
    """Read a `during`, whose keys are KEYS and whose values are text, integers or lists of them, as YAML 1.2 has them.

    `default_zone` is an IANA name or `visitor`. Raises WindowError for whatever cannot be meant, including a window
    that never opens.
    """
    for key in mapping:
        if key not in KEYS:
            close = get_close_matches(key, KEYS, 1)
            raise WindowError(f"unknown key `{key}`", key, f"did you mean `{close[0]}`?" if close else None)
    if not mapping.keys() - {"zone"}:
        raise WindowError("this window sets no limit", "", "leave `during` out for a rule that always holds")
    zone = _parse_zone(mapping.get("zone", default_zone))
    start = _parse_bound(mapping["from"], "from", zone) if "from" in mapping else _ALWAYS
    end = _parse_bound(mapping["until"], "until", zone) if "until" in mapping else _NEVER
    if start.local == end.local and start >= end:
        raise WindowError("`until` is not after `from`", "until", None)
    recurrence = _parse_recurrence(mapping)
    if recurrence is None and not (start.local or end.local):
        zone = _UTC  # what reads no clock on a wall needs no zone
    window = Window(start, end, recurrence, zone)
    somewhere = Window(_ALWAYS, _NEVER, recurrence, zone or _UTC)
    if (False, None) in (window.state(EPOCH, None), somewhere.state(EPOCH, None)):
        raise WindowError("this window never opens", "", None)
    return window


def _parse_zone(value: object) -> ZoneInfo | None:
    if value == VISITOR:
        return None
    zone = _find_zone(value) if isinstance(value, str) else None
    if zone is None:
        raise _misfit("zone", value, "no time zone")
    return zone


def _parse_bound(value: object, key: str, zone: ZoneInfo | None) -> _Bound:
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    try:
        moment = datetime.fromisoformat(match.group()) if match else None
    except ValueError:
        moment = None
    if moment is None or moment.year not in _YEARS:
        raise _misfit(key, value, "no date or time")
    if moment.tzinfo is None and zone is None:
        return _Bound((moment.replace(tzinfo=UTC) - EPOCH) // SECOND, local=True)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return _Bound((moment - EPOCH) // SECOND, local=False)


def _parse_recurrence(mapping: Mapping[str, object]) -> Recurrence | None:
    if not mapping.keys() & {"hours", "dates", *_NAMES}:
        return None
    named = {key: _parse_members(mapping[key], key) for key in _NAMES if key in mapping}
    dates = _parse_dates(mapping["dates"]) if "dates" in mapping else None
    opens, closes = _parse_hours(mapping["hours"]) if "hours" in mapping else (0, DAY)
    return recur(named, dates, opens, closes)


def _parse_hours(value: object) -> tuple[int, int]:
    match = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _misfit("hours", value, "no range of hours")
    opens, closes = (int(hour) * HOUR + int(minute) * 60 for hour, minute in (match.group(1, 2), match.group(3, 4)))
    if opens == closes:
        raise WindowError(
            f"`{value}` opens and closes at the same time", "hours", "leave `hours` out for the whole day"
        )
    if opens >= DAY or closes > DAY:
        raise _misfit("hours", value, "no range of hours")
    return opens, closes if closes > opens else closes + DAY


def _parse_members(value: object, key: str) -> frozenset[int]:
    """Places in `_NAMES[key]`, of names and of ranges that may run past the last name to the first."""
    names = _NAMES[key]
    members: set[int] = set()
    for item in _items(value, key):
        first, _, last = item.lower().partition("-")
        try:
            start, end = names.index(first.strip()), names.index((last or first).strip())
        except ValueError:
            raise _misfit(key, item, _NOUNS[key]) from None
        members.update((start + step) % len(names) for step in range((end - start) % len(names) + 1))
    return frozenset(members)


def _parse_dates(value: object) -> Mapping[int, frozenset[int]]:
    """Days as month * 100 + day, under their year, or under 0 for those of every year."""
    dates: defaultdict[int, set[int]] = defaultdict(set)
    for item in _items(value, "dates"):
        match = _DATE.fullmatch(item)
        year, month, day = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
        try:
            date(year or _LEAP_YEAR, month, day)
        except ValueError:
            raise _misfit("dates", item, "no date") from None
        if year and year not in _YEARS:
            raise _misfit("dates", item, "no date")
        dates[year].add(month * 100 + day)
    return {year: frozenset(days) for year, days in dates.items()}


def _items(value: object, key: str) -> Sequence[str]:
    parts = value if isinstance(value, list) else str(value).split(",") if isinstance(value, str | int) else []
    if not parts or not all(isinstance(part, str | int) for part in parts):
        raise WindowError(f"`{key}` is neither a value nor a list of values", key, _HELP[key])
    return [str(part).strip() for part in parts]


def _misfit(key: str, value: object, noun: str) -> WindowError:
    if not isinstance(value, str | int):
        return WindowError(f"`{key}` must be one value", key, _HELP[key])
    return WindowError(f"`{value}` is {noun}", key, _HELP[key])


def _moment(bound: _Bound, zone: ZoneInfo | None, ahead_s: int) -> int:
    """The UTC second of a bound; for want of a zone, where clocks are `ahead_s` seconds ahead of UTC."""
    if not bound.local:
        return bound.second
    if zone is None:
        return bound.second - ahead_s
    return to_utc(bound.second, zone)


@lru_cache(maxsize=1024)
def _find_zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown; not a relative path; a folder of zones
        return None
