"""In which ways a condition comes out true: each way a box over axes, all ways together exactly the condition.

A condition that is not false may be unknown. In the ways in which it is not false, a test is true or unknown.
"""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from tessera.rules.conditions import AllOf, AnyOf, Constant, Expr, Not, Operand, Pattern, Test, Use
from tessera.rules.proof.axes import Axes, Axis, age_axis, compares_facts, is_opaque
from tessera.rules.values import Period

MAX_WAYS = 32
"""In how many ways a condition may be true for anything to be proved of it."""

Way = Mapping[str, int]
"""The classes that are let through on some axes, by the axis' name: never none, and never all. Others are free."""

Ways = tuple[Way, ...]


class TooMany(Exception):
    """There are more than MAX_WAYS."""


class Condition:
    """Brings conditions into their ways over some axes."""

    def __init__(self, axes: Axes, computed: Mapping[str, Expr]) -> None:
        self._axes = axes
        self._computed = computed
        self._done: dict[tuple[str, bool, bool], Ways] = {}
        self._tests: dict[tuple[str, str, Operand, bool, bool, bool], Ways] = {}

    def ways(self, expr: Expr, wanted: bool = True, *, lenient: bool = False) -> Ways:
        """In which ways a condition comes out as `wanted`, or, `lenient`, not as the opposite; raises TooMany."""
        match expr:
            case Constant(value):
                return ({},) if value is wanted else ()
            case Test(fact, operator, operand, ignoring_case):
                asked = (fact.name, operator.words, operand, ignoring_case, wanted, lenient)
                if asked not in self._tests:
                    self._tests[asked] = self._of_test(expr, wanted, lenient)
                return self._tests[asked]
            case Use(_, body):
                return self.ways(body, wanted, lenient=lenient)
            case Not(part):
                return self.ways(part, not wanted, lenient=lenient)
            case AllOf(parts) | AnyOf(parts):
                inner = [self.ways(part, wanted, lenient=lenient) for part in parts]
                return self.all_of(inner) if isinstance(expr, AllOf) is wanted else any_of(inner)

    def all_of(self, parts: Iterable[Ways]) -> Ways:
        """The ways in which all parts are satisfied; raises TooMany."""
        ways: Ways = ({},)
        for part in sorted(parts, key=len):
            ways = tuple(met for way in ways for other in part if (met := meet(way, other)) is not None)
            if len(ways) > MAX_WAYS:
                raise TooMany
        return ways

    def _of_test(self, test: Test, wanted: bool, lenient: bool) -> Ways:
        if test.fact.name in self._computed and isinstance(test.operand, bool):
            return self._of_computed(test.fact.name, (test.operand is wanted) is (test.operator.words == "=="), lenient)
        if test.fact.type == "set" and test.operator.shape in ("element", "elements") and not compares_facts(test):
            return self._of_set(test, wanted, lenient)
        axis, true = self._true(test)
        if test.operator.sees_unknown:
            return _way((axis, true if wanted else axis.full & ~true))
        classes = true if wanted else axis.known & ~true
        if lenient:
            return _way((axis, classes | axis.unknown))
        return _way((axis, classes), *self._known(test, axis))

    def _true(self, test: Test) -> tuple[Axis, int]:
        """The axis of a test, and the classes in which it is true."""
        if test.operator.sees_unknown and test.fact.name not in self._computed:
            axis = self._axes[test.fact.name]
            return axis, axis.known if test.operator.words == "is known" else axis.unknown
        if isinstance(test.operand, Period):
            name, mark = age_axis(test.fact, test.operand)
            axis = self._axes[name]
            younger = axis.before(mark)
            older, still_to_come = axis.known & ~younger, axis.before(axis.marks[0])
            return axis, older if test.operator.words == "older than" else younger & ~still_to_come
        if compares_facts(test) or test.fact.name in self._computed:
            axis = self._axes.of_test(test, self._computed)
            return axis, axis.at((True,))
        axis = self._axes[test.fact.name]
        if axis.kind == "values":
            operand = test.operand.compiled if isinstance(test.operand, Pattern) else test.operand
            return axis, axis.at(value for value in axis.marks if test.operator.check(value, operand))
        if is_opaque(test):
            axis = self._axes.of_test(test, self._computed)
            return axis, axis.at((True,))
        return axis, _TRUE[test.operator.words](axis, test.operand)

    def _of_computed(self, name: str, wanted: bool, lenient: bool) -> Ways:
        key = (name, wanted, lenient)
        if key not in self._done:
            self._done[key] = self.ways(self._computed[name], wanted, lenient=lenient)
        return self._done[key]

    def _of_set(self, test: Test, wanted: bool, lenient: bool) -> Ways:
        elements = test.operand if isinstance(test.operand, frozenset) else (test.operand,)
        inner = []
        for element in elements:
            axis = self._axes.holding(test.fact, str(element))
            inner.append(_way((axis, axis.at((wanted,)) | (axis.unknown if lenient else 0))))
        every = self.all_of(inner) if (test.operator.words == "has all of") is wanted else any_of(inner)
        return every if lenient else self.all_of([every, _way(*self._known(test, None))])

    def _known(self, test: Test, axis: Axis | None) -> Iterable[tuple[Axis, int]]:
        """What a test that is not unknown says besides: that what it reads is known."""
        if axis is self._axes[test.fact.name] and not compares_facts(test):
            return ()
        bases = (self._axes[fact.name] for fact in test.facts() if fact.name not in self._computed)
        return [(base, base.known) for base in bases if base is not axis]


def any_of(parts: Iterable[Ways]) -> Ways:
    """The ways in which one of the parts is satisfied; raises TooMany."""
    ways = tuple(chain.from_iterable(parts))
    if len(ways) > MAX_WAYS:
        raise TooMany
    return ways


def meet(one: Way, other: Way) -> Way | None:
    """What two ways have in common; None when that is nothing."""
    met = dict(one)
    for name, classes in other.items():
        left = met[name] & classes if name in met else classes
        if not left:
            return None
        met[name] = left
    return met


def _way(*tests: tuple[Axis, int]) -> Ways:
    """The one way of satisfying tests of different axes, or none."""
    if not all(classes for _, classes in tests):
        return ()
    return ({axis.name: classes for axis, classes in tests if classes != axis.full},)


_TRUE: Mapping[str, Any] = {
    "==": lambda axis, value: axis.at((value,)),
    "!=": lambda axis, value: axis.known & ~axis.at((value,)),
    "in": lambda axis, values: axis.at(values),
    "not in": lambda axis, values: axis.known & ~axis.at(values),
    "<": Axis.before,
    "<=": Axis.through,
    ">": lambda axis, value: axis.known & ~axis.through(value),
    ">=": lambda axis, value: axis.known & ~axis.before(value),
    "before": Axis.before,
    "after": lambda axis, value: axis.known & ~axis.through(value),
    "between": lambda axis, bounds: axis.through(bounds[1]) & ~axis.before(bounds[0]),
}
