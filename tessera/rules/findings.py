"""The plain evaluation of a condition, which accounts for every part of it.

Three-valued throughout (Kleene's strong logic, *Introduction to Metamathematics*, section 64): a test of an unknown
fact is unknown, and `and`, `or`, `not` make of it what holds whatever the fact may be.

Until when that holds is the answer to one question: is the condition certain to be true (or to be false, where that is
wanted)? It is made up of what the answer depends on. A conjunction that is not certain to be true is so until the part
that keeps it from being true could change, whatever the others do; one that is, until any of its parts could. Parts
that do not look at the clock are asked first, the others in written order. The same with true and false exchanged for
`or`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tessera.rules.conditions import (
    AllOf,
    AnyOf,
    Constant,
    Expr,
    Not,
    Pattern,
    Test,
    Use,
    is_timed,
    phrase,
    written,
)
from tessera.rules.facts import Fact, Value
from tessera.rules.operators import ignoring_case
from tessera.rules.values import Period

FAULTS = (TypeError, ValueError, ArithmeticError, AttributeError)
"""What a test raises when it is handed a value that is not of its fact's type."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one part of a condition came to: `value` (None: unknown), until when it holds (None: for good).

    `reads` has the facts that a test read, with their values as an author would write them, None for unknown; `parts`
    what this part is made of, all of it, also what the value did not depend on. A part that `failed`, because a value
    was not of its fact's type, has no value, and so has every part whose value depends on it.
    """

    text: str
    value: bool | None
    until: datetime | None
    reads: tuple[tuple[str, str | None], ...] = ()
    parts: tuple["Finding", ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """What a condition is asked about."""

    facts: Mapping[str, Value]
    now: datetime
    computed: Mapping[str, Expr]


def earliest(*moments: datetime | None) -> datetime | None:
    """The earliest moment, where None means never."""
    return min((moment for moment in moments if moment is not None), default=None)


def find(expr: Expr, world: World, wanted: bool = True) -> Finding:
    """What a condition comes to, with everything that it is made of.

    Its `until` is the answer to one question: until when it is certain to be as `wanted`, or until when it is not.
    """
    text = phrase(expr)
    match expr:
        case Constant(value):
            return Finding(text, value, None)
        case Test():
            return _test(expr, world, wanted)
        case Use(_, body):
            found = find(body, world, wanted)
            return Finding(text, found.value, found.until, (), (found,), found.failed)
        case Not(part):
            found = find(part, world, not wanted)
            return Finding(text, _negated(found.value), found.until, (), (found,), found.failed)
        case AllOf(parts):
            return _junction(text, parts, world, wanted, decisive=False)
        case AnyOf(parts):
            return _junction(text, parts, world, wanted, decisive=True)


def _negated(value: bool | None) -> bool | None:
    return None if value is None else not value


def _junction(text: str, parts: Sequence[Expr], world: World, wanted: bool, *, decisive: bool) -> Finding:
    """A conjunction for `decisive` false, a disjunction for true: the truth of one part that settles the whole."""
    found = tuple(find(part, world, wanted) for part in parts)
    values = [each.value for each in found]
    value = decisive if decisive in values else None if None in values else not decisive
    timed = [is_timed(part, world.computed) for part in parts]
    in_order = sorted(range(len(parts)), key=timed.__getitem__)
    for part in (found[index] for index in in_order):
        if part.failed or (part.value is wanted) is (decisive is wanted):
            return replace(part, text=text, value=None if part.failed else value, reads=(), parts=found)
    return Finding(text, value, earliest(*(each.until for each in found)), parts=found)


def _test(test: Test, world: World, wanted: bool) -> Finding:
    facts = tuple(test.facts())
    inner = {fact.name: _computed(test, fact, world, wanted) for fact in facts if fact.name in world.computed}
    values = {fact.name: _value(fact, world, inner) for fact in facts}
    parts = tuple(inner.values())
    if any(part.failed for part in parts):
        return Finding(phrase(test), None, None, (), parts, failed=True)
    try:
        value, until = _truth(test, values, world.now)
    except FAULTS:
        return Finding(phrase(test), None, None, (), parts, failed=True)
    reads = tuple(
        (fact.name, None if values[fact.name] is None else written(values[fact.name], fact)) for fact in facts
    )
    return Finding(phrase(test), value, earliest(until, *(part.until for part in parts)), reads, parts)


def _computed(test: Test, fact: Fact, world: World, wanted: bool) -> Finding:
    """What a computed fact comes to; unless it is simply to be true or false, its value is asked for either way."""
    expr = world.computed[fact.name]
    if isinstance(test.operand, bool):
        return find(expr, world, test.operator.check(wanted, test.operand))
    return _find_value(expr, world)


def _find_value(expr: Expr, world: World) -> Finding:
    """The same as `find`, until the value is another."""
    found = find(expr, world)
    if found.value is True or found.failed:
        return found
    other = find(expr, world, False)
    value = None if other.failed else found.value
    return replace(found, value=value, until=earliest(found.until, other.until), failed=other.failed)


def _value(fact: Fact, world: World, inner: Mapping[str, Finding]) -> Any:
    return inner[fact.name].value if fact.name in inner else world.facts.get(fact.name, fact.default)


def _truth(test: Test, values: Mapping[str, Any], now: datetime) -> tuple[bool | None, datetime | None]:
    operator, operand, subject = test.operator, test.operand, values[test.fact.name]
    if operator.sees_unknown:
        return operator.check(subject, None), None
    if subject is None:
        return None, None
    if isinstance(operand, Period):
        return operator.state(subject, operand, now)
    if isinstance(operand, Pattern):
        return operator.check(subject, operand.compiled), None
    check = ignoring_case(operator.check) if test.ignoring_case else operator.check
    if isinstance(operand, tuple):
        bounds = tuple(values[each.name] if isinstance(each, Fact) else each for each in operand)
        return None if None in bounds else check(subject, bounds), None
    other = values[operand.name] if isinstance(operand, Fact) else operand
    return None if other is None else check(subject, other), None
