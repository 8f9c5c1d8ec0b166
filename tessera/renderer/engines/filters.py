"""Filters that both languages share, each a pure function of its arguments; docs/templates.md describes them.

None reads a clock, a random source or the process's locale: what depends on language or zone takes it as an argument. A
value that is missing (None) is empty text. A wrong argument raises FilterFault, whose
message is for template authors.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache, wraps
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, get_currency_precision, is_currency
from markupsafe import Markup

MAX_FORMAT_LENGTH = 100
CLOCK_WORDS = ("now", "today")
NO_CLOCK = "`date` reads no clock: hand it an input that holds the time"
NAMED_FORMATS = ("short", "medium", "long", "full")
_DIRECTIVES = re.compile(r"%(?!-?[aAbBdeHIjmMpSyYzZuUwWV%])")


class FilterFault(ValueError):
    """A filter was handed something that it cannot work with."""


def money(value: object, locale: object) -> str:
    """Format an amount: `{"amount": 6900, "currency": "EUR"}` is `€69.00` in `en` and `69,00 €` in `de`.

    `amount` counts the currency's minor units (ISO 4217: cents of a euro, whole yen).
    """
    if value is None:
        return ""
    if not isinstance(value, Mapping):
        raise FilterFault("`money` takes an amount with its currency")
    amount, currency = value.get("amount"), value.get("currency")
    if amount is None or currency is None:
        return ""
    if not isinstance(amount, int) or not isinstance(currency, str):
        raise FilterFault("`money` takes an amount in minor units with its currency")
    return _money(int(amount), str(currency), _text(locale))


@lru_cache(maxsize=4096)
def _money(amount: int, currency: str, locale: str) -> str:
    if not is_currency(currency):
        raise FilterFault(f"unknown currency `{currency}`")
    minor = Decimal(amount).scaleb(-get_currency_precision(currency))
    return str(format_currency(minor, currency, locale=_locale(locale)))


def localised_date(value: object, form: object, locale: object = "en", zone: object = "UTC") -> str:
    """Format a moment: `{{ visitor.last_purchase_at | date: "long", locale, "Europe/Berlin" }}`.

    `form` is `short`, `medium`, `long` or `full` (Unicode CLDR), a CLDR pattern such as `d. MMMM`, or strftime
    directives such as `%Y-%m-%d`, whose names of days and months are English. `value` is a timestamp or an ISO 8601
    text. `now` and `today` are no values: nothing here reads a clock.
    """
    if value is None or value == "":
        return ""
    moment, pattern = _moment(value), _text(form)
    if len(pattern) > MAX_FORMAT_LENGTH:
        raise FilterFault(f"a date format has at most {MAX_FORMAT_LENGTH} characters")
    local = moment.astimezone(_zone(_text(zone)))
    if "%" not in pattern:
        write = format_date if pattern in NAMED_FORMATS else format_datetime
        return str(write(local, pattern, locale=_locale(_text(locale))))
    unknown = _DIRECTIVES.search(pattern)
    if unknown:
        raise FilterFault(f"unknown date directive `{pattern[unknown.start() : unknown.start() + 2]}`")
    return local.strftime(pattern)


def json_script(value: object) -> Markup:
    r"""Write a value as JSON that is safe between `<script type="application/json">` and `</script>`.

    `<`, `>`, `&`, `'` and the line separators U+2028 and U+2029 become `\uXXXX`. Decimals and moments become texts.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_as_json)
    return Markup(text.translate(_SCRIPT_ESCAPES))


_SCRIPT_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&'\u2028\u2029"}


def truncate_words(value: object, count: object, end: object = "…") -> str:
    """Keep the first `count` words; `end` follows where some were cut off. White space between words becomes one."""
    words = _text(value).split()
    limit = _integer(count, "truncate_words")
    if limit < 0:
        raise FilterFault("`truncate_words` keeps no less than 0 words")
    return " ".join(words[:limit]) + (_text(end) if len(words) > limit else "")


def pluralize(value: object, one: object, other: object) -> str:
    """Choose a word by a count: `{{ cart.count | pluralize: "item", "items" }}`. Missing counts as 0."""
    return _text(one) if _integer(0 if value is None else value, "pluralize") == 1 else _text(other)


FILTERS: Mapping[str, Callable[..., object]] = {
    "money": money,
    "date": localised_date,
    "json_script": json_script,
    "truncate_words": truncate_words,
    "pluralize": pluralize,
}


def for_language(undefined: type) -> dict[str, Callable[..., object]]:
    """Return the filters, by name, as a language calls them whose missing values are of the type `undefined`."""

    def adapted(function: Callable[..., object]) -> Callable[..., object]:
        @wraps(function)
        def call(*values: object, **named: object) -> object:
            present = [None if isinstance(value, undefined) else value for value in values]
            return function(*present, **{k: None if isinstance(v, undefined) else v for k, v in named.items()})

        return call

    return {name: adapted(function) for name, function in FILTERS.items()}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _integer(value: object, name: str) -> int:
    if isinstance(value, int | Decimal) or (isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value)):
        return int(value)
    raise FilterFault(f"`{name}` takes a whole number")


@lru_cache(maxsize=256)
def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name, sep="-" if "-" in name else "_")
    except (UnknownLocaleError, ValueError):
        raise FilterFault(f"unknown locale `{name[:40]}`") from None


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FilterFault(f"unknown time zone `{name[:40]}`") from None


def _moment(value: object) -> datetime:
    """Read a moment. One without a zone is in UTC; a date is its first moment."""
    moment = _parsed(value) if isinstance(value, str) else value
    if isinstance(moment, datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(moment, date):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    raise FilterFault("`date` takes a timestamp")


def _parsed(text: str) -> datetime:
    if text.strip().lower() in CLOCK_WORDS:
        raise FilterFault(NO_CLOCK)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise FilterFault(f"`{text[:40]}` is not a date in ISO 8601") from None


def _as_json(value: object) -> str | None:
    """Write what JSON has no form for: a moment in ISO 8601, a decimal as text, a language's missing value as null."""
    return value.isoformat() if isinstance(value, date) else str(value) or None
