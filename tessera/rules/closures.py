"""Conditions → closures, once per ruleset.

A compiled condition is called with the facts' `get` and with a clock. It answers true, false, or None for unknown,
and notes on the clock until when its answer holds. `tessera.rules.findings` says what the answers mean; the two agree.
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
Condition = Callable[[Get, Clock], bool | None]


class Compiler:
    """Compiles conditions; `computed` has those behind computed facts, each of which is compiled once."""

    def __init__(self, computed: Mapping[str, Expr]) -> None:
        self._computed = computed
        self._compiled: dict[str, Condition] = {}

    def condition(self, expr: Expr) -> Condition:
        match expr:
            case Constant(value):
                return lambda get, clock: value
            case Test():
                return self._test(expr)
            case Use(_, body):
                return self.condition(body)
            case Not(part):
                return _not(self.condition(part))
            case AllOf(parts):
                return self._junction(parts, False)
            case AnyOf(parts):
                return self._junction(parts, True)

    def _junction(self, parts: Sequence[Expr], decisive: bool) -> Condition:
        """A conjunction for `decisive` false, a disjunction for true: the truth of one part that settles the whole."""
        timed = [part for part in parts if is_timed(part, self._computed)]
        plain = [self.condition(part) for part in parts if part not in timed]
        if not timed:
            return _plain_junction(plain, decisive)
        return _timed_junction(plain, [self.condition(part) for part in timed], decisive)

    def _reader(self, fact: Fact) -> Read:
        """The value of a fact, computed or not."""
        name, default = fact.name, fact.default
        if name not in self._computed:
            return lambda get, clock: get(name, default)
        if name not in self._compiled:
            self._compiled[name] = self.condition(self._computed[name])
        return self._compiled[name]

    def _test(self, test: Test) -> Condition:
        read, operator, operand = self._reader(test.fact), test.operator, test.operand
        if operator.words == "==" and operand is True and test.fact.name in self._computed:
            return read
        if isinstance(operand, Period):
            return _timed_test(read, operator, operand)
        check = operator.check
        if operator.sees_unknown:
            return lambda get, clock: check(read(get, clock), None)
        if isinstance(operand, Pattern):
            operand = operand.compiled
        elif test.ignoring_case:
            check = ignoring_case(check)
        if any(isinstance(each, Fact) for each in (operand if isinstance(operand, tuple) else (operand,))):
            return self._comparison(read, check, operand)
        if test.fact.name in self._computed:
            return lambda get, clock: None if (value := read(get, clock)) is None else check(value, operand)
        name, default = test.fact.name, test.fact.default
        return lambda get, clock: None if (value := get(name, default)) is None else check(value, operand)

    def _comparison(self, read: Read, check: Check, operand: Operand) -> Condition:
        """A test whose operand, or one of whose bounds, is a fact too."""
        if not isinstance(operand, tuple):
            other = self._single(operand)

            def compare(get: Get, clock: Clock) -> bool | None:
                value, bound = read(get, clock), other(get, clock)
                return None if value is None or bound is None else check(value, bound)

            return compare
        low, high = (self._single(each) for each in operand)

        def compare_range(get: Get, clock: Clock) -> bool | None:
            value, bounds = read(get, clock), (low(get, clock), high(get, clock))
            return None if value is None or None in bounds else check(value, bounds)

        return compare_range

    def _single(self, operand: Any) -> Read:
        return self._reader(operand) if isinstance(operand, Fact) else lambda get, clock: operand


def _not(part: Condition) -> Condition:
    def negate(get: Get, clock: Clock) -> bool | None:
        truth = part(get, clock)
        return None if truth is None else not truth

    return negate


def _timed_test(read: Read, operator: Operator, period: Period) -> Condition:
    state = operator.state

    def test(get: Get, clock: Clock) -> bool | None:
        moment = read(get, clock)
        if moment is None:
            return None
        truth, until = state(moment, period, clock.now)
        clock.note(until)
        return truth

    return test


def _plain_junction(parts: Sequence[Condition], decisive: bool) -> Condition:
    rest = not decisive

    def join(get: Get, clock: Clock) -> bool | None:
        result: bool | None = rest
        for part in parts:
            truth = part(get, clock)
            if truth is decisive:
                return decisive
            if truth is None:
                result = None
        return result

    return join


def _timed_junction(plain: Sequence[Condition], timed: Sequence[Condition], decisive: bool) -> Condition:
    """Asks what does not look at the clock first. A part that settles the whole is all that the answer depends on."""
    settled = _plain_junction(plain, decisive)

    def join(get: Get, clock: Clock) -> bool | None:
        result = settled(get, clock)
        if result is decisive:
            return result
        before = until = clock.until
        for part in timed:
            clock.until = before
            truth = part(get, clock)
            if truth is decisive:
                return decisive
            if truth is None:
                result = None
            until = earliest(until, clock.until)
        clock.until = until
        return result

    return join
