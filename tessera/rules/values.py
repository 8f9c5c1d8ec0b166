"""Values of facts that Python has no type for, and how each type of value is written.

Every reader here takes text and raises ValueError, with a message for people, when the text is not of its type.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import total_ordering
from typing import Self

# ISO 4217 (list one, 2024): the currencies whose minor unit is not a hundredth.
_EXPONENTS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}

END_OF_TIME = datetime.max.replace(tzinfo=UTC)
"""What cannot be told from never."""

_LONGEST = timedelta(days=36_525)
_EXACT = Context(prec=100)

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_VERSION = re.compile(
    r"(?P<release>[0-9]{1,18}(\.[0-9]{1,18}){0,7})(-(?P<pre>[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*))?(\+[0-9A-Za-z.-]+)?"
)
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)
_PERIOD = re.compile(r"(?P<count>[0-9]{1,9}) ?(?P<unit>[a-z]+)")
_LOCATION = re.compile(r"(?P<lat>[+-]?[0-9]{1,2}(\.[0-9]+)?), ?(?P<lon>[+-]?[0-9]{1,3}(\.[0-9]+)?)")

_ELAPSED_UNITS = {
    **dict.fromkeys(("s", "second", "seconds"), timedelta(seconds=1)),
    **dict.fromkeys(("m", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day", "days"), timedelta(days=1)),
    **dict.fromkeys(("w", "week", "weeks"), timedelta(weeks=1)),
}
_CALENDAR_UNITS = {"month": 1, "months": 1, "year": 12, "years": 12}
_LONG_UNITS = ("seconds", "minutes", "hours", "days", "weeks", "months", "years")


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A version number, ordered as Semantic Versioning 2.0.0 section 11 says; build metadata is dropped.

    Missing parts count as zero (`2.1` equals `2.1.0`), and up to eight parts are taken.
    """

    release: tuple[int, ...]
    pre: tuple[tuple[int, int, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ValueError(f"`{text}` is not a version, such as `2.10.0`")
        release = [int(part) for part in match["release"].split(".")]
        while len(release) > 1 and release[-1] == 0:
            release.pop()
        parts = match["pre"].split(".") if match["pre"] else []
        return cls(tuple(release), tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts))

    def __lt__(self, other: Self) -> bool:
        return self._rank() < other._rank()

    def _rank(self) -> tuple[tuple[int, ...], bool, tuple[tuple[int, int, str], ...]]:
        return self.release, not self.pre, self.pre

    def __str__(self) -> str:
        release = ".".join(map(str, (*self.release, 0, 0)[: max(3, len(self.release))]))
        pre = ".".join(word or str(number) for _, number, word in self.pre)
        return f"{release}-{pre}" if pre else release


@dataclass(frozen=True, slots=True)
class Location:
    """A point on Earth in WGS 84 degrees, latitude in [-90, 90], longitude in [-180, 180]."""

    lat: float
    lon: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `latitude, longitude`, as in `52.52, 13.40`."""
        match = _LOCATION.fullmatch(text)
        if match is None:
            raise ValueError(f"`{text}` is not a location, such as `52.52, 13.40`")
        return cls.of(float(match["lat"]), float(match["lon"]))

    @classmethod
    def of(cls, lat: float, lon: float) -> Self:
        if not (abs(lat) <= 90 and abs(lon) <= 180):
            raise ValueError(f"`{lat}, {lon}` is outside the Earth's degrees")
        return cls(lat, lon)

    def __str__(self) -> str:
        return f"{self.lat:g}, {self.lon:g}"


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of the calendar: whole months, or elapsed time. A day is 24 hours, a year twelve months."""

    months: int
    elapsed: timedelta
    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _PERIOD.fullmatch(text)
        if match is None:
            raise ValueError(f"`{text}` is not a duration, such as `30 days` or `15m`")
        count, unit = int(match["count"]), match["unit"]
        if unit not in _ELAPSED_UNITS and unit not in _CALENDAR_UNITS:
            raise ValueError(f"`{unit}` is no unit of time; those are {', '.join(_LONG_UNITS)}")
        if unit in _CALENDAR_UNITS:
            return cls(count * _CALENDAR_UNITS[unit], timedelta(0), text)
        try:
            return cls(0, count * _ELAPSED_UNITS[unit], text)
        except OverflowError:
            raise ValueError(f"`{text}` is too long") from None

    def after(self, moment: datetime) -> datetime:
        """`moment` plus this period; a day that the month lacks becomes its last. Past the end of time: END_OF_TIME."""
        try:
            if not self.months:
                return moment + self.elapsed
            year, month = divmod(moment.year * 12 + moment.month - 1 + self.months, 12)
            day = moment.day if moment.day <= 28 else min(moment.day, monthrange(year, month + 1)[1])
            return moment.replace(year, month + 1, day)
        except (OverflowError, ValueError):
            return END_OF_TIME

    def __str__(self) -> str:
        return self.text


def parse_number(text: str) -> Decimal:
    """A plain decimal number of at most 30 digits on either side of the point."""
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"`{text}` is not a number")
    return Decimal(text)


def parse_integer(text: str) -> int:
    """A whole number; `5.0` counts as one."""
    number = parse_number(text)
    if number != int(number):
        raise ValueError(f"`{text}` is not a whole number")
    return int(number)


def integer_between(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        number = parse_integer(text)
        if not low <= number <= high:
            raise ValueError(f"`{text}` is not between {low} and {high}")
        return number

    return parse


def parse_percent(text: str) -> Decimal:
    """A share in percent, from 0 to 100; the sign may be left out."""
    share = parse_number(text.removesuffix("%"))
    if not 0 <= share <= 100:
        raise ValueError(f"`{text}` is not between 0 and 100")
    return share


def parse_timestamp(text: str) -> datetime:
    """An RFC 3339 moment, in UTC. A bare date is its first moment in UTC; a time of day needs an offset."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text}` is not a moment, such as `2026-11-24` or `2026-11-24T10:00+01:00`")
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError(f"`{text}` is not in the calendar") from None
    return in_utc(moment.replace(tzinfo=UTC) if match[1] is None else moment)


def format_timestamp(moment: datetime) -> str:
    """A moment in UTC as RFC 3339 text, such as `2026-11-24T09:00:00Z`."""
    return moment.isoformat().replace("+00:00", "Z")


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC; a moment without an offset names no one moment, and is refused."""
    if moment.tzinfo is None:
        raise ValueError(f"`{moment.isoformat()}` lacks an offset from UTC, such as `Z` or `+01:00`")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"`{moment.isoformat()}` is not in the calendar") from None


def parse_elapsed(text: str) -> timedelta:
    """A duration of fixed length, such as `15m` or `30 days`; months and years have none."""
    period = Period.parse(text)
    if period.months:
        raise ValueError(f"`{text}` has no fixed length: months differ")
    if period.elapsed > _LONGEST:
        raise ValueError(f"`{text}` is too long")
    return period.elapsed


def format_elapsed(elapsed: timedelta) -> str:
    """The inverse of `parse_elapsed`, in the largest unit that divides it; fractions of a second as such."""
    for unit, length in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1))):
        if elapsed and elapsed % length == timedelta(0):
            return f"{elapsed // length}{unit}"
    return f"{elapsed.total_seconds():f}".rstrip("0").rstrip(".") + "s"


def parse_currency(text: str) -> str:
    """An ISO 4217 code; that it is assigned is not checked."""
    if _CURRENCY.fullmatch(text) is None:
        raise ValueError(f"`{text}` is not a currency code, such as `EUR`")
    return text


def minor_units(amount: Decimal, currency: str) -> int:
    """An amount such as `49.90` in the currency's smallest unit; more decimals than it has are refused."""
    exponent = _EXPONENTS.get(currency, 2)
    scaled = amount.scaleb(exponent, _EXACT)
    if scaled != int(scaled):
        decimals = f"{exponent} decimals" if exponent else "no decimals"
        raise ValueError(f"`{amount}` is not an amount of {currency}, which has {decimals}")
    return int(scaled)


def major_units(amount: int, currency: str) -> Decimal:
    """The inverse of `minor_units`, with exactly the currency's decimals."""
    return Decimal(amount).scaleb(-_EXPONENTS.get(currency, 2), _EXACT)
