"""`now` as an input of templates, as finely as they ask: `now.hour` is the moment at which this hour began.

A template that reads it shows the same for a whole granule, so that its key and its lifetime follow from what it reads.
A granule is one of the clock on the wall, in the site's zone.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tessera.rules.facts import NOW, Fact, Value
from tessera.rules.source import Span
from tessera.rules.wallclock import DAY, EPOCH, HOUR, SECOND, stretches, to_utc

GRANULES: Mapping[str, int] = {"minute": 60, "quarter_hour": 900, "hour": HOUR, "day": DAY}
"""The granules by name, and how many seconds they mostly have."""

ABOUT = "when this one began, in the site's zone"


class Granule(NamedTuple):
    """The granule that a moment is in: when it began, in UTC, and until when that is so."""

    value: datetime
    until: datetime


def granule(name: str, zone: ZoneInfo, moment: datetime) -> Granule:
    """Return the granule of a moment. Days begin at midnight, or with the first moment after it that there is."""
    return _granule(name, zone, (moment - EPOCH) // SECOND)


@lru_cache(maxsize=256)  # all requests of one second ask for the same few
def _granule(name: str, zone: ZoneInfo, second: int) -> Granule:
    end_of_offset, offset = next(stretches(zone, second))
    size = GRANULES[name]
    local = (second + offset) // size * size
    start = to_utc(local, zone) if size == DAY else local - offset
    end = min(local + size - offset, end_of_offset)  # clocks that are set back could show this granule again
    return Granule(EPOCH + start * SECOND, EPOCH + end * SECOND)


def now_facts(zone: ZoneInfo) -> Mapping[str, Fact]:
    """Return what templates read of `now`, as facts by their full name. Their unit is the zone's name."""
    nowhere = Span("", 1, 1, 1)
    facts = (
        Fact(NOW + name, "timestamp", "computed", "public", nowhere, unit=zone.key, about=ABOUT) for name in GRANULES
    )
    return {fact.name: fact for fact in facts}


def now_of(fact: Fact) -> Callable[[Mapping[str, Value], datetime], Granule]:
    """Return what works out one of those facts at a moment; it looks at no others."""
    work_out = partial(granule, fact.name.removeprefix(NOW), ZoneInfo(fact.unit or "UTC"))
    return lambda _facts, moment: work_out(moment)
