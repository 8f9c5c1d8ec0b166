"""What a clock on the wall shows: offsets of a zone as they change, days of a year as bit masks, recurring openings.

Local time is counted as UTC is: in days, or seconds, since 1970-01-01T00:00 on the clock in question. Daylight saving
is all in `Recurrence.at`, which goes from one stretch of constant offset to the next; nothing else has to know of gaps
and folds.
"""

from bisect import bisect_left
from calendar import isleap
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from functools import lru_cache, reduce
from itertools import count, pairwise
from operator import or_
from typing import NamedTuple
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = 3_600
DAY = 86_400
FOREVER = 1 << 62

_EPOCH_DAY = EPOCH.toordinal()
_LAST_OF_MONTH = 31
_CALENDAR_CYCLE = 40  # years within which every weekday falls on 29 February, across 2100 too
_BLOCK_BITS = 25
_SAMPLE_BITS = 18


class _Year(NamedTuple):
    """A year of the calendar: its kind is the weekday of its first day, and 7 more in a leap year."""

    number: int
    kind: int
    first_day: int
    every_day: int


@dataclass(frozen=True, slots=True)
class Recurrence:
    """What a clock on the wall must show: an open day, and a time from `opens` up to `closes`.

    A mask holds the open days of a year, bit 0 for 1 January: `kinds` has one for each of the 14 kinds of year, and
    `single` what dates of one year add to it. `opens` and `closes` are seconds after the midnight that begins the day,
    at most one day apart; overnight, `closes` is past the next midnight.
    """

    kinds: tuple[int, ...]
    single: tuple[tuple[int, int], ...]
    opens: int
    closes: int

    def at(self, second: int, zone: ZoneInfo) -> tuple[bool, int]:
        """Whether this is open at a UTC second, and the next UTC second that changes it, or `FOREVER`."""
        constant = stretches(zone, second)
        end, offset = next(constant)
        local = second + offset
        is_open, change = self._run(local)
        while True:
            # After the last change, a clock set back may still return to the run before it.
            sure = change if change < FOREVER else local + 2 * DAY
            if sure - offset < end:
                return is_open, min(change - offset, FOREVER)
            jump = end
            end, offset = next(constant)
            if not local <= jump + offset < change:
                local = jump + offset
                after, change = self._run(local)
                if after != is_open:
                    return is_open, jump

    def _run(self, local: int) -> tuple[bool, int]:
        """Whether this is open at a local second, and the next local second that changes it."""
        day, second = divmod(local, DAY)
        if second < self.closes - DAY and self._is_open(day - 1):
            return True, (day - 1) * DAY + self.closes
        if self._is_open(day):
            if self.closes - self.opens == DAY:
                return True, self._next(day, wanted=False) * DAY
            if second < self.opens:
                return False, day * DAY + self.opens
            if second < self.closes:
                return True, day * DAY + self.closes
        return False, self._next(day, wanted=True) * DAY + self.opens

    def _mask(self, year: _Year) -> int:
        mask = self.kinds[year.kind]
        for number, days in self.single:
            if number == year.number:
                mask |= days
        return mask

    def _is_open(self, day: int) -> bool:
        year = _year_of(day)
        return bool(self._mask(year) >> day - year.first_day & 1)

    def _next(self, day: int, *, wanted: bool) -> int:
        """The first day after `day` that is open, or closed, as wanted; `FOREVER` when there is none."""
        number = _year_of(day).number
        last = max([number + _CALENDAR_CYCLE, *(single for single, _ in self.single)])
        for year in map(_year, range(number, min(last, MAXYEAR) + 1)):
            mask = self._mask(year) if wanted else self._mask(year) ^ year.every_day
            passed = max(0, day + 1 - year.first_day)
            rest = mask >> passed
            if rest:
                return year.first_day + passed + (rest & -rest).bit_length() - 1
        return FOREVER


def recur(
    named: Mapping[str, frozenset[int]], dates: Mapping[int, frozenset[int]] | None, opens: int, closes: int
) -> Recurrence:
    """Open on days that satisfy every part given.

    `named` holds `days` (0 for Monday), `months` (0 for January) and `month_days` (0 for the first, 31 for
    the last); `dates` holds days as month * 100 + day, under their year, or under 0 for those of every year.
    """
    if dates is None:
        return Recurrence(tuple(_open_days(named, kind) for kind in range(14)), (), opens, closes)
    yearly = {**named, "dates": dates.get(0, frozenset())}
    single = ((number, {**named, "dates": days}) for number, days in sorted(dates.items()) if number)
    return Recurrence(
        tuple(_open_days(yearly, kind) for kind in range(14)),
        tuple((number, _open_days(chosen, _year(number).kind)) for number, chosen in single),
        opens,
        closes,
    )


@lru_cache(maxsize=512)
def _year(number: int) -> _Year:
    first, leap = date(number, 1, 1), isleap(number)
    return _Year(number, first.weekday() + 7 * leap, first.toordinal() - _EPOCH_DAY, (1 << 365 + leap) - 1)


def _year_of(day: int) -> _Year:
    return _year(date.fromordinal(day + _EPOCH_DAY).year)


@lru_cache(maxsize=14)
def _day_masks(kind: int) -> Mapping[tuple[str, int], int]:
    """For a kind of year, the mask of the days that each weekday, month, day of the month and date names."""
    year = next(year for year in map(_year, range(2000, 2028)) if year.kind == kind)
    masks: defaultdict[tuple[str, int], int] = defaultdict(int)
    for index in range(year.every_day.bit_length()):
        day = date.fromordinal(year.first_day + _EPOCH_DAY + index)
        masks["days", day.weekday()] |= 1 << index
        masks["months", day.month - 1] |= 1 << index
        masks["month_days", day.day - 1] |= 1 << index
        masks["dates", day.month * 100 + day.day] |= 1 << index
        if (day + timedelta(days=1)).day == 1:
            masks["month_days", _LAST_OF_MONTH] |= 1 << index
    return dict(masks)


def _open_days(chosen: Mapping[str, frozenset[int]], kind: int) -> int:
    masks = _day_masks(kind)
    mask = (1 << 365 + (kind >= 7)) - 1
    for name, members in chosen.items():
        mask &= reduce(or_, (masks.get((name, member), 0) for member in members), 0)
    return mask


def to_utc(local: int, zone: ZoneInfo) -> int:
    """The UTC second of a local second: the first one if it repeats, by the offset before the jump if it is skipped."""
    return ((EPOCH + local * SECOND).replace(tzinfo=zone) - EPOCH) // SECOND


def stretches(zone: ZoneInfo, second: int) -> Iterator[tuple[int, int]]:
    """The stretches of constant UTC offset from the one at a UTC second on: where each ends, and its offset."""
    for block in count(second >> _BLOCK_BITS):
        for end, offset in _block_stretches(zone, block):
            if end > second:
                yield end, offset


@lru_cache(maxsize=4096)
def _block_stretches(zone: ZoneInfo, block: int) -> tuple[tuple[int, int], ...]:
    """The stretches within a block of 2**25 seconds, about a year; zoneinfo tells offsets, but not where they change.

    Samples every 2**18 seconds, three days: since 1970 no zone has changed twice within a week.
    """
    stretches = []
    last = block + 1 << _BLOCK_BITS
    for start, end in pairwise(range(block << _BLOCK_BITS, last + 1, 1 << _SAMPLE_BITS)):
        before = _offset(start, zone)
        if _offset(end, zone) != before:
            stretches.append((_change(start, end, zone), before))
    return (*stretches, (last, _offset(last - 1, zone)))


def _change(start: int, end: int, zone: ZoneInfo) -> int:
    """The first UTC second in (start, end] whose offset is not that of `start`."""
    before = _offset(start, zone)
    return start + bisect_left(range(start, end), True, key=lambda second: _offset(second, zone) != before)


def _offset(second: int, zone: ZoneInfo) -> int:
    """Seconds that clocks in the zone are ahead of UTC at a UTC second."""
    return (datetime.fromtimestamp(second, zone).replace(tzinfo=UTC) - EPOCH) // SECOND - second
