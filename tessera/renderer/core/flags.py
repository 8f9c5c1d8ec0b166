"""Facts from a flag service: what it is asked and told, as its own words have it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from tessera.renderer.core.declared import Coerced, coerced
from tessera.renderer.core.ports import FlagKind, FlagQuery
from tessera.rules.facts import Fact, FactType, Value
from tessera.rules.values import Location, Version, major_units

KINDS: Mapping[FactType, FlagKind] = {
    "boolean": "boolean",
    "integer": "integer",
    "decimal": "decimal",
    "money": "decimal",
    "set": "object",
    "location": "object",
}
"""What the value of a flag is at the service, by the type of its fact; text where nothing is said here."""


def queries(
    flags: Iterable[Fact], facts: Mapping[str, Value], declared: Mapping[str, Fact]
) -> Mapping[FlagQuery, Sequence[Fact]]:
    """Return what to ask for, and which of the flags each answer is for: one query for all that are told the same."""
    alike: dict[tuple[tuple[str, object], ...], list[Fact]] = {}
    for flag in flags:
        told = {each.name: json_form(declared.get(each.fact), facts.get(each.fact)) for each in flag.attributes}
        known = tuple((name, form) for name, form in sorted(told.items()) if form is not None)
        alike.setdefault(known, []).append(flag)
    return {
        FlagQuery(tuple((fact.key or "", KINDS.get(fact.type, "text")) for fact in some), attributes): some
        for attributes, some in alike.items()
    }


def told_by(flags: Sequence[Fact], values: Mapping[str, object]) -> Coerced:
    """Coerce what the service answered."""
    return coerced({fact.name: fact for fact in flags}, {fact.name: values.get(fact.key or "") for fact in flags})


def json_form(fact: Fact | None, value: Value | None) -> object:
    """Return a fact's value as JSON has it: money in major units, a duration in seconds, moments as RFC 3339 text."""
    match value:
        case frozenset():
            return tuple(sorted(value))
        case Decimal():
            return float(value)
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Version() | Location():
            return str(value)
        case int() if fact is not None and fact.type == "money" and fact.unit is not None:
            return float(major_units(value, fact.unit))
    return value
