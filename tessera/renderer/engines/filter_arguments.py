"""What filters are handed, read: texts, numbers, moments, locales, zones. FilterFault says to authors what is wrong."""

import re
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError

CLOCK_WORDS = ("now", "today")
NO_CLOCK = "`date` reads no clock: write `now.minute`, `now.hour` or `now.day` without quotes"
MAX_DIGITS = 30
_SHOWN = 40


class FilterFault(ValueError):
    """A filter was handed something that it cannot work with."""


def text_of(value: object) -> str:
    """Return a value as text; what is missing is empty."""
    return "" if value is None else str(value)


def integer_of(value: object, name: str) -> int:
    """Return a whole number; `name` is the filter that asks."""
    if isinstance(value, int | Decimal) or (isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value)):
        return int(value)
    raise FilterFault(f"`{name}` takes a whole number")


def number_of(value: object, name: str) -> Decimal:
    """Return a number, exactly as it would be printed; `name` is the filter that asks."""
    if isinstance(value, int | float | Decimal | str) and not isinstance(value, bool):
        try:
            number = Decimal(str(value)[: MAX_DIGITS + 2])
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and abs(number.adjusted()) < MAX_DIGITS and len(str(value)) <= MAX_DIGITS + 2:
            return number or Decimal(0)  # -0 equals 0, but would be written otherwise
    raise FilterFault(f"`{name}` takes a number")


@lru_cache(maxsize=256)
def locale_of(name: str) -> Locale:
    """Return the locale of a name such as `de-AT` or `de_AT`."""
    try:
        return Locale.parse(name, sep="-" if "-" in name else "_")
    except (UnknownLocaleError, ValueError):
        raise FilterFault(f"unknown locale `{name[:_SHOWN]}`") from None


def zone_of(name: str) -> tzinfo:
    """Return the zone of an IANA name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FilterFault(f"unknown time zone `{name[:_SHOWN]}`") from None


def moment_of(value: object, name: str) -> datetime:
    """Return a moment, with a zone. A text in ISO 8601 is one too, in UTC unless it says otherwise; so is a date."""
    moment = _parsed(value, name) if isinstance(value, str) else value
    if isinstance(moment, datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(moment, date):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    raise FilterFault(f"`{name}` takes a timestamp")


def _parsed(text: str, name: str) -> datetime:
    if text.strip().lower() in CLOCK_WORDS:
        raise FilterFault(NO_CLOCK.replace("`date`", f"`{name}`", 1))
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise FilterFault(f"`{text[:_SHOWN]}` is not a date in ISO 8601") from None
