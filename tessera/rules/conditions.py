"""Checked conditions: what an expression means once its names and types are resolved.

A segment and a computed fact are facts (`segment.vip`, boolean) whose value is itself a condition, so a condition is
built of nothing but tests of facts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tessera.rules.facts import Fact, Value
from tessera.rules.operators import IGNORING_CASE, Operator
from tessera.rules.source import Span
from tessera.rules.tokens import quote
from tessera.rules.values import Period, format_elapsed, format_timestamp, major_units


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled RE2 pattern; equal when its text is."""

    text: str
    compiled: Any


Single = Value | Fact
Operand = Single | tuple[Single, Single] | frozenset[Value] | Pattern | Period | None
"""By the operator's shape: a value or a fact; low and high; the listed values; a pattern; a period; nothing.

Texts are case-folded already where the test ignores case.
"""


@dataclass(frozen=True, slots=True)
class Constant:
    """`true` or `false`."""

    value: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Test:
    """One fact, one operator, one operand. A boolean fact that stands alone is a test that it equals `true`."""

    fact: Fact
    operator: Operator
    operand: Operand
    ignoring_case: bool
    span: Span

    def facts(self) -> tuple[Fact, ...]:
        """The facts that are read: the subject, and those among the operands."""
        operand = self.operand
        if isinstance(operand, Fact):
            return self.fact, operand
        if isinstance(operand, tuple):
            return self.fact, *(each for each in operand if isinstance(each, Fact))
        return (self.fact,)


@dataclass(frozen=True, slots=True)
class Use:
    """A reusable condition with its arguments filled in; `text` is how it was called."""

    text: str
    body: "Expr"
    span: Span


@dataclass(frozen=True, slots=True)
class Not:
    part: "Expr"


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Expr", ...]


Expr = Constant | Test | Use | Not | AllOf | AnyOf


def parts_of(expr: Expr) -> Sequence[Expr]:
    """The conditions directly inside one."""
    match expr:
        case AllOf(parts) | AnyOf(parts):
            return parts
        case Not(part) | Use(_, part):
            return (part,)
        case _:
            return ()


def tests_in(expr: Expr) -> Iterator[Test]:
    """Every test in a condition, those of reusable conditions included, those of computed facts not."""
    if isinstance(expr, Test):
        yield expr
    for part in parts_of(expr):
        yield from tests_in(part)


def is_timed(expr: Expr, computed: Mapping[str, Expr]) -> bool:
    """Whether time alone can change a condition. `computed` has the conditions behind computed facts."""
    if isinstance(expr, Test):
        return expr.operator.flips is not None or any(
            fact.name in computed and is_timed(computed[fact.name], computed) for fact in expr.facts()
        )
    return any(is_timed(part, computed) for part in parts_of(expr))


def phrase(expr: Expr) -> str:
    """The condition as an author would write it."""
    match expr:
        case Constant(value):
            return "true" if value else "false"
        case Test():
            return _phrase_test(expr)
        case Use(text):
            return text
        case Not(part):
            return f"not {_grouped(part)}"
        case AllOf(parts):
            return " and ".join(map(_grouped, parts))
        case AnyOf(parts):
            return " or ".join(map(_grouped, parts))


def _grouped(expr: Expr) -> str:
    return f"({phrase(expr)})" if isinstance(expr, AllOf | AnyOf) else phrase(expr)


def _phrase_test(test: Test) -> str:
    if test.operand is True and test.operator.words == "==":
        return test.fact.name
    words = [test.fact.name, test.operator.words]
    match test.operand:
        case None:
            pass
        case (low, high):
            words.append(f"{_written(low, test.fact)} and {_written(high, test.fact)}")
        case frozenset() as listed:
            words.append(f"[{', '.join(sorted(_written(each, test.fact) for each in listed))}]")
        case Pattern(text):
            words.append(quote(text))
        case Period() as period:
            words.append(str(period))
        case single:
            words.append(_written(single, test.fact))
    return " ".join([*words, IGNORING_CASE] if test.ignoring_case else words)


def _written(single: Single, subject: Fact) -> str:
    return single.name if isinstance(single, Fact) else written(single, subject)


def written(value: Value, fact: Fact) -> str:
    """A value of `fact` as an author would write it; what is not of its type, as best it can be told."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() if fact.type == "money" and fact.unit:
            return str(major_units(value, fact.unit))
        case str():
            return quote(value)
        case frozenset():
            return f"[{', '.join(quote(each) for each in sorted(value))}]"
        case timedelta():
            return format_elapsed(value)
        case datetime():
            return format_timestamp(value)
        case _:
            return str(value)
