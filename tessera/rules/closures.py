"""Conditions → closures, once per ruleset.

A condition is compiled for one question: is it certain to be true, or, where that is not `wanted`, to be false? Both
answers are no where it is unknown. It is called with the facts' `get` and with a clock, on which it notes until when
its answer holds. `tessera.rules.findings` says what the answers mean; the two agree.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tessera.rules.conditions import AllOf, AnyOf, Constant, Expr, Not, Operand, Pattern, Test, Use, is_timed
from tessera.rules.facts import Fact
from tessera.rules.findings import earliest
from tessera.rules.operators import Check, Operator, ignoring_case
from tessera.rules.values import Period


class Clock:
    """The moment of one decision, and until when it holds; None while nothing could change it."""

    __slots__ = ("now", "until")

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.until: datetime | None = None

    def note(self, until: datetime | None) -> None:
        if until is not None and (self.until is None or until < self.until):
            self.until = until


Get = Callable[..., Any]
Read = Callable[[Get, Clock], Any]
Condition = Callable[[Get, Clock], bool]


class Compiler:
    """Compiles conditions; `computed` has those behind computed facts, each of which is compiled once."""

    def __init__(self, computed: Mapping[str, Expr]) -> None:
        self._computed = computed
        self._compiled: dict[tuple[str, bool], Condition] = {}

    def condition(self, expr: Expr, wanted: bool = True) -> Condition:
        match expr:
            case Constant(value):
                return lambda get, clock: value is wanted
            case Test():
                return self._test(expr, wanted)
            case Use(_, body):
                return self.condition(body, wanted)
            case Not(part):
                return self.condition(part, not wanted)
            case AllOf(parts):
                return self._junction(parts, wanted, every=wanted)
            case AnyOf(parts):
                return self._junction(parts, wanted, every=not wanted)

    def truth(self, expr: Expr) -> Read:
        """What a condition comes to: true, false, or None where that is unknown."""
        is_true, is_false = self.condition(expr), self.condition(expr, wanted=False)
        return lambda get, clock: True if is_true(get, clock) else False if is_false(get, clock) else None

    def _fact_condition(self, name: str, wanted: bool) -> Condition:
        if (name, wanted) not in self._compiled:
            self._compiled[name, wanted] = self.condition(self._computed[name], wanted)
        return self._compiled[name, wanted]

    def _junction(self, parts: Sequence[Expr], wanted: bool, every: bool) -> Condition:
        """Whether `every` part is as wanted, or else whether one is."""
        timed: list[Condition] = []
        plain: list[Condition] = []
        for part in parts:
            (timed if is_timed(part, self._computed) else plain).append(self.condition(part, wanted))
        return _timed_junction(plain, timed, every) if timed else _plain_junction(plain, every)

    def _reader(self, fact: Fact) -> Read:
        """The value of a fact, computed or not."""
        name, default = fact.name, fact.default
        return self.truth(self._computed[name]) if name in self._computed else lambda get, clock: get(name, default)

    def _test(self, test: Test, wanted: bool) -> Condition:
        operator, operand = test.operator, test.operand
        if test.fact.name in self._computed and isinstance(operand, bool):
            return self._fact_condition(test.fact.name, operator.check(wanted, operand))
        read = self._reader(test.fact)
        if isinstance(operand, Period):
            return _timed_test(read, operator, operand, wanted)
        check = operator.check
        if operator.sees_unknown:
            return lambda get, clock: check(read(get, clock), None) is wanted
        if isinstance(operand, Pattern):
            operand = operand.compiled
        elif test.ignoring_case:
            check = ignoring_case(check)
        if any(isinstance(each, Fact) for each in (operand if isinstance(operand, tuple) else (operand,))):
            return self._comparison(read, check, operand, wanted)
        name, default = test.fact.name, test.fact.default
        return lambda get, clock: (value := get(name, default)) is not None and check(value, operand) is wanted

    def _comparison(self, read: Read, check: Check, operand: Operand, wanted: bool) -> Condition:
        """A test whose operand, or one of whose bounds, is a fact too."""
        if not isinstance(operand, tuple):
            other = self._single(operand)

            def compare(get: Get, clock: Clock) -> bool:
                value, bound = read(get, clock), other(get, clock)
                return value is not None and bound is not None and check(value, bound) is wanted

            return compare
        low, high = (self._single(each) for each in operand)

        def compare_range(get: Get, clock: Clock) -> bool:
            value, bounds = read(get, clock), (low(get, clock), high(get, clock))
            return value is not None and None not in bounds and check(value, bounds) is wanted

        return compare_range

    def _single(self, operand: Any) -> Read:
        return self._reader(operand) if isinstance(operand, Fact) else lambda get, clock: operand


def _timed_test(read: Read, operator: Operator, period: Period, wanted: bool) -> Condition:
    state = operator.state

    def test(get: Get, clock: Clock) -> bool:
        moment = read(get, clock)
        if moment is None:
            return False
        truth, until = state(moment, period, clock.now)
        clock.note(until)
        return truth is wanted

    return test


def _plain_junction(parts: Sequence[Condition], every: bool) -> Condition:
    def join(get: Get, clock: Clock) -> bool:
        for part in parts:
            if part(get, clock) is not every:
                return not every
        return every

    return join


def _timed_junction(plain: Sequence[Condition], timed: Sequence[Condition], every: bool) -> Condition:
    """Asks what does not look at the clock first. A part that settles the whole is all that the answer depends on."""
    join_plain = _plain_junction(plain, every)

    def join(get: Get, clock: Clock) -> bool:
        if join_plain(get, clock) is not every:
            return not every
        before = until = clock.until
        for part in timed:
            clock.until = before
            if part(get, clock) is not every:
                return not every
            until = earliest(until, clock.until)
        clock.until = until
        return every

    return join
