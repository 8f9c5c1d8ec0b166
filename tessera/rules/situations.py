"""Situations: a slot, a moment, and facts, written down so that any version of a site can decide in them.

A file of them has one JSON object a line: `page`, `slot`, `at` (RFC 3339), `facts` by full name, and `buckets`, the
place in [0, 1) that the visitor has in an experiment, by its name, where no id is to tell it (-1: takes no part).
Facts stand in the form that `coerce` takes, so that each version reads them as it declares them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from tessera.rules.evaluate import Trace, explain_slot
from tessera.rules.facts import Fact, Misfit, Value, coerce
from tessera.rules.ruleset import Ruleset
from tessera.rules.values import Location, Version, format_timestamp, parse_timestamp


@dataclass(frozen=True, slots=True)
class Situation:
    """One of them; `facts` are JSON-ready."""

    page: str
    slot: str
    now: datetime
    facts: Mapping[str, object]
    buckets: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """The object that stands on a line."""
        return {
            "page": self.page,
            "slot": self.slot,
            "at": format_timestamp(self.now),
            "facts": dict(self.facts),
            "buckets": dict(self.buckets),
        }


def read_situation(line: str) -> Situation:
    """What a line of a file of situations says; raises ValueError, which says what is wrong with it."""
    try:
        told = json.loads(line)
    except ValueError as broken:
        raise ValueError(f"this is no JSON: {broken}") from None
    match told:
        case {"page": str(page), "slot": str(slot), "at": str(at), "facts": dict(facts)}:
            buckets = told.get("buckets", {})
        case _:
            raise ValueError("a situation is an object with `page`, `slot`, `at` and `facts`")
    if not isinstance(buckets, dict) or not all(type(place) in (int, float) for place in buckets.values()):
        raise ValueError("`buckets` has a number for each experiment")
    return Situation(page, slot, parse_timestamp(at), facts, buckets)


def explain_in(ruleset: Ruleset, situation: Situation) -> Trace:
    """The account of what a ruleset decides there; raises KeyError when it has no such slot.

    Facts that it does not declare, or whose value does not fit, are unknown to it.
    """
    facts = facts_for(ruleset, situation)
    return explain_slot(ruleset, situation.page, situation.slot, facts, situation.now, buckets=situation.buckets)


def json_form(fact: Fact, value: Value) -> object:
    """A value in the JSON form that `coerce` takes back."""
    match value:
        case int() if fact.type == "money":
            return {"amount": value, "currency": fact.unit}
        case frozenset():
            return sorted(value)
        case datetime():
            return format_timestamp(value)
        case timedelta():
            return value.total_seconds()
        case Decimal() | Version() | Location():
            return str(value)
        case _:
            return value


def facts_for(ruleset: Ruleset, situation: Situation) -> Mapping[str, Value]:
    """The facts of a situation as a ruleset declares them; those that it does not, or that do not fit, are left out."""
    return dict(_facts(ruleset, situation))


def _facts(ruleset: Ruleset, situation: Situation) -> Iterator[tuple[str, Value]]:
    for name, raw in situation.facts.items():
        fact = ruleset.fact(situation.page, name)
        if fact is not None and name not in ruleset.computed:
            try:
                yield name, coerce(fact, raw)
            except Misfit:
                continue
