"""Declared facts: type, allowed values, unit, source, who may see a response that reads them.

Foreign values become values of the declared type once, at the edge (`coerce`); inside, nothing is converted again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple, get_args

from tessera.rules.source import Span
from tessera.rules.values import (
    Location,
    Version,
    in_utc,
    minor_units,
    parse_elapsed,
    parse_integer,
    parse_number,
    parse_timestamp,
)

FactType = Literal[
    "boolean",
    "integer",
    "decimal",
    "money",
    "string",
    "enumeration",
    "set",
    "timestamp",
    "duration",
    "version",
    "location",
]
FactSource = Literal[
    "profile", "request", "cart", "list", "events", "flags", "assignments", "parameter", "computed", "item"
]
EventKind = Literal["shown", "dismissed"]
Share = Literal["public", "context", "private"]

Value = bool | int | Decimal | str | frozenset[str] | datetime | timedelta | Version | Location
"""What a known fact holds at run time. Money is an int in minor units of the fact's `unit`; timestamps are in UTC."""

TYPES: tuple[FactType, ...] = get_args(FactType)
SHARES: tuple[Share, ...] = get_args(Share)
DECLARED_SOURCES: tuple[FactSource, ...] = ("profile", "request", "cart", "list", "events", "flags", "computed")
TELLABLE: tuple[FactSource, ...] = ("request", "profile", "cart")
"""Sources of the facts that a flag service may be told."""
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)

SEGMENT = "segment."
PARAMETER = "param."
ITEM = "item."
NOW = "now."
ASSIGNED = "assigned."
RESERVED = ("segment", "param", "item", "items", "cta", "slots", "experiment", "assigned", "now")
"""First parts of names that mean something else in rules or in templates, so no declared fact may use them."""

CONSENT = "consent.personalization"
REFUSED = "denied"
VISITOR_ID = "visitor.id"
TIMEZONE = "geo.timezone"
LOCALE = "locale"

REQUEST_FACTS: Mapping[str, FactType] = {
    VISITOR_ID: "string",
    "visitor.known": "boolean",
    "device.type": "enumeration",
    "device.os": "string",
    "device.browser": "string",
    "geo.country": "string",
    "geo.region": "string",
    "geo.city": "string",
    TIMEZONE: "string",
    LOCALE: "string",
    CONSENT: "enumeration",
    "page.name": "string",
}
"""What the server knows of every request, with the type that each has unless it is declared otherwise."""

_OPEN_TEXT: tuple[FactType, ...] = ("string", "set", "version", "location")


class Attribute(NamedTuple):
    """What a flag service is told of whoever asks: its own name for it, the fact that has it, and where that stands."""

    name: str
    fact: str
    span: Span


@dataclass(frozen=True, slots=True)
class Fact:
    """One name that rules and templates may read.

    `one_of` holds the allowed texts in declared order, None where any is allowed; `unit` the ISO 4217 code of money
    (of `now`, the name of its zone);
    `trait` the profile's name for it (source profile); `list` the list whose item ids it holds (source list); `event`
    the kind of events that it tells of (source events), about what is called `of`, none of them longer ago than
    `window`, if that is given; `key` the flag service's name for it (source flags), which is told the `attributes` and
    nothing else; `default` the value it has when absent, None where it is then unknown.
    """

    name: str
    type: FactType
    source: FactSource
    share: Share
    span: Span
    one_of: tuple[str, ...] | None = None
    unit: str | None = None
    trait: str | None = None
    list: str | None = None
    event: EventKind | None = None
    of: str | None = None
    window: timedelta | None = None
    key: str | None = None
    attributes: tuple[Attribute, ...] = ()
    default: Value | None = None
    about: str = ""


class Misfit(ValueError):
    """A foreign value that does not fit its fact; it counts as unknown. The message is for people."""


def default_share(type_: FactType, source: FactSource, one_of: tuple[str, ...] | None) -> Share:
    """Parameters stand in the URL; free text may name somebody, and what they did is theirs; the rest is shared."""
    if source == "parameter":
        return "public"
    if source == "events":
        return "private"
    return "private" if type_ in _OPEN_TEXT and one_of is None else "context"


def built_in(name: str) -> Fact:
    """A request fact that the language itself relies on, as it is where a site does not declare it."""
    one_of = ("granted", REFUSED, "unknown") if name == CONSENT else None
    share: Share = "private" if name == VISITOR_ID else "context"
    nowhere = Span("", 1, 1, 1)
    return Fact(name, REQUEST_FACTS[name], "request", share, nowhere, one_of, about="offered by the server")


BUILT_IN = (VISITOR_ID, CONSENT, TIMEZONE, LOCALE)


def coerce(fact: Fact, raw: object) -> Value:
    """The value of `fact` that a foreign value stands for.

    Takes the JSON form of each type, and its text: `true`, `3`, `"342.1"`. Money is a number in major units (`49.9`),
    or `{"amount": 4990, "currency": "EUR"}` in minor ones. A set is a list of texts, or one text with commas. A
    timestamp is RFC 3339 text or Unix seconds; a duration is seconds or text such as `15m`; a location is
    `{"lat": …, "lon": …}` or `"lat, lon"`.

    Raises Misfit.
    """
    if (isinstance(raw, (int, float)) and not abs(raw) < 1e18) or (isinstance(raw, Decimal) and raw.adjusted() > 18):
        raise Misfit("the number is not finite, or too large")
    try:
        return _COERCIONS[fact.type](fact, raw)
    except Misfit:
        raise
    except ValueError as error:
        raise Misfit(str(error)) from None


def _boolean(fact: Fact, raw: object) -> Value:
    if isinstance(raw, bool):
        return raw
    word = str(raw).lower() if isinstance(raw, str | int) else ""
    if word not in ("true", "1", "false", "0"):
        raise Misfit(f"{_shown(raw)} is neither true nor false")
    return word in ("true", "1")


def _integer(fact: Fact, raw: object) -> Value:
    return parse_integer(_digits(raw))


def _decimal(fact: Fact, raw: object) -> Value:
    return parse_number(_digits(raw))


def _money(fact: Fact, raw: object) -> Value:
    assert fact.unit is not None
    if isinstance(raw, Mapping):
        if raw.get("currency") != fact.unit:
            raise Misfit(f"the amount is in {_shown(raw.get('currency'))}, not in {fact.unit}")
        return parse_integer(_digits(raw.get("amount")))
    return minor_units(parse_number(_digits(raw)), fact.unit)


def _text(fact: Fact, raw: object) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise Misfit(f"{_shown(raw)} is not text")
    text = str(raw)
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise Misfit("the text holds half of a surrogate pair")
    if fact.one_of is not None and text not in fact.one_of:
        raise Misfit(f"`{text}` is not one of {', '.join(fact.one_of)}")
    return text


def _set(fact: Fact, raw: object) -> Value:
    if isinstance(raw, str):
        raw = [part.strip() for part in raw.split(",") if part.strip()]
    if not isinstance(raw, list | tuple | set | frozenset):
        raise Misfit(f"{_shown(raw)} is not a list of texts")
    return frozenset(_text(fact, each) for each in raw)


def _timestamp(fact: Fact, raw: object) -> Value:
    if isinstance(raw, datetime):
        return in_utc(raw)
    if isinstance(raw, str) and not (raw.isascii() and raw.isdigit()):
        return parse_timestamp(raw)
    try:
        return datetime.fromtimestamp(float(_digits(raw)), UTC)
    except (OverflowError, OSError):
        raise Misfit(f"{_shown(raw)} is not in the calendar") from None


def _duration(fact: Fact, raw: object) -> Value:
    if isinstance(raw, timedelta):
        return raw
    if isinstance(raw, str) and not raw.isdigit():
        return parse_elapsed(raw)
    try:
        return timedelta(seconds=float(_digits(raw)))
    except OverflowError:
        raise Misfit(f"{_shown(raw)} is too long") from None


def _version(fact: Fact, raw: object) -> Value:
    return raw if isinstance(raw, Version) else Version.parse(_text(fact, raw))


def _location(fact: Fact, raw: object) -> Value:
    if isinstance(raw, Location):
        return raw
    if isinstance(raw, Mapping):
        lat, lon = raw.get("lat"), raw.get("lon")
        return Location.of(float(_digits(lat)), float(_digits(lon)))
    return Location.parse(_text(fact, raw))


def _digits(raw: object) -> str:
    """The decimal notation of a number; a float as its shortest one, so that 342.1 is exactly 342.1."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, Decimal, str)):
        raise Misfit(f"{_shown(raw)} is not a number")
    if isinstance(raw, float):
        return f"{Decimal(repr(raw)):f}"
    return f"{raw:f}" if isinstance(raw, Decimal) else str(raw)


def _shown(raw: object) -> str:
    """A foreign value as a message may show it, cut short."""
    if isinstance(raw, str | int | float | Decimal):
        text = str(raw)
        return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"
    return "nothing" if raw is None else "a list" if isinstance(raw, list | tuple) else "an object"


_COERCIONS: Mapping[FactType, Callable[[Fact, object], Value]] = {
    "boolean": _boolean,
    "integer": _integer,
    "decimal": _decimal,
    "money": _money,
    "string": _text,
    "enumeration": _text,
    "set": _set,
    "timestamp": _timestamp,
    "duration": _duration,
    "version": _version,
    "location": _location,
}
