"""What visitors have seen and sent away, as facts: how often, whether, or when last."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tessera.rules.facts import Fact, Value

Moments = Mapping[tuple[str, str], Sequence[datetime]]
"""When events happened (UTC), by their kind and what they are about."""


class Told(NamedTuple):
    """The value of a fact, None where it is unknown, and until when time alone leaves it so (None: for good)."""

    value: Value | None
    until: datetime | None


def told_by(fact: Fact, moments: Moments, now: datetime) -> Told:
    """Return what the events of one visitor come to.

    A count without events is 0, and that something happened is false; when it last did is unknown.
    """
    happened = sorted(moments.get((fact.event or "", fact.of or ""), ()))
    if fact.window is not None:
        happened = [moment for moment in happened if moment + fact.window > now]
    value: Value | None = len(happened)
    if fact.type == "boolean":
        value = bool(happened)
    elif fact.type == "timestamp":
        value = happened[-1] if happened else None
    if fact.window is None or not happened:
        return Told(value, None)
    return Told(value, (happened[0] if fact.type == "integer" else happened[-1]) + fact.window)
