"""What conditions can tell apart, as axes of finitely many classes: a set of classes is the bits of an integer.

A fact is an axis whose classes are its values, as far as conditions name them, and what lies between those. Whatever
cannot be said of single values (parts of texts, a fact against a fact, the age of a moment, what a set holds) is an
axis of its own. Axes are taken to be independent, so that there are never fewer kinds of visitors than in truth.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from tessera.rules.conditions import Expr, Test, phrase, tests_in
from tessera.rules.facts import Fact, FactType
from tessera.rules.operators import OPERATORS
from tessera.rules.values import Period

Kind = Literal["values", "text", "line", "presence", "truth", "elapsed", "months"]
"""All the values; some texts and any other; a line with cuts; known or not; a test; ages by the clock, the calendar."""

_TEXTUAL: tuple[FactType, ...] = ("string",)
_PRESENT: tuple[FactType, ...] = ("set", "location")
_WHOLE: tuple[FactType, ...] = ("integer", "money")


class Axis(NamedTuple):
    """One axis: `known` has the bits of its classes, `full` also that of unknown, where that can be.

    `marks` are the values that have a class of their own, in order, at the bits `places`. On a line, the stretches
    before, between and after them have the bits beside theirs.
    """

    name: str
    kind: Kind
    fact: Fact | None
    marks: tuple[Any, ...]
    places: Mapping[Any, int]
    known: int
    full: int

    @property
    def unknown(self) -> int:
        return self.full & ~self.known

    def at(self, values: Iterable[Any]) -> int:
        """The classes of some marks."""
        bits = 0
        for value in values:
            bits |= 1 << self.places[value]
        return bits & self.known

    def before(self, value: Any) -> int:
        """The classes of what is less than a mark of a line."""
        return ((1 << self.places[value]) - 1) & self.known

    def through(self, value: Any) -> int:
        """The classes of what is at most a mark of a line."""
        return ((2 << self.places[value]) - 1) & self.known


def compares_facts(test: Test) -> bool:
    """Whether a test has a fact among its operands."""
    operand = test.operand
    return isinstance(operand, Fact) or (isinstance(operand, tuple) and any(isinstance(each, Fact) for each in operand))


def is_opaque(test: Test) -> bool:
    """Whether a test says more of its fact than which of the marked values it has, or between which it lies."""
    return test.ignoring_case or test.operator.shape in ("part", "pattern") or compares_facts(test)


class Axes:
    """The axes of some conditions; `computed` has the conditions behind computed facts, which are looked into."""

    def __init__(self, conditions: Iterable[Expr], computed: Mapping[str, Expr]) -> None:
        self._by_name: dict[str, Axis] = {}
        facts: dict[str, Fact] = {}
        ages: dict[str, Fact] = {}
        marks: defaultdict[str, set[Any]] = defaultdict(set)
        for test in _every_test(conditions, computed):
            facts[test.fact.name] = test.fact
            if compares_facts(test):
                facts |= {fact.name: fact for fact in test.facts()}
            if isinstance(test.operand, Period):
                name, mark = age_axis(test.fact, test.operand)
                marks[name] |= {mark, type(mark)()}
                ages[name] = test.fact
            elif not is_opaque(test) and test.fact.type != "set":
                marks[test.fact.name].update(_named(test))
        self._by_name |= {name: _of_fact(fact, marks[name]) for name, fact in facts.items()}
        self._by_name |= {name: _age(name, fact, marks[name]) for name, fact in ages.items()}

    def __getitem__(self, name: str) -> Axis:
        return self._by_name[name]

    def truth(self, name: str, fact: Fact | None = None, *, certain: bool = False) -> Axis:
        """The axis of a test that is true, false or, unless it is `certain`, unknown; made when first asked for."""
        if name not in self._by_name:
            self._by_name[name] = _axis(name, "truth", fact, (True, False), {True: 0, False: 1}, 2, certain)
        return self._by_name[name]

    def of_test(self, test: Test, computed: Mapping[str, Expr]) -> Axis:
        """The axis of an opaque test."""
        certain = test.operator.sees_unknown or all(
            fact.default is not None and fact.name not in computed for fact in test.facts()
        )
        return self.truth(phrase(test), test.fact, certain=certain)

    def holding(self, fact: Fact, element: str) -> Axis:
        """The axis of whether a set holds an element."""
        test = Test(fact, OPERATORS["has"], element, False, fact.span)
        return self.truth(phrase(test), fact, certain=fact.default is not None)


def age_axis(fact: Fact, period: Period) -> tuple[str, Any]:
    """The name of the axis on which a period is measured from a moment, and its mark there."""
    return (f"{fact.name} in months", period.months) if period.months else (f"{fact.name} elapsed", period.elapsed)


def _every_test(conditions: Iterable[Expr], computed: Mapping[str, Expr]) -> Iterator[Test]:
    """The tests of the conditions and of the computed facts in them, each of which is looked into once."""
    seen: set[str] = set()
    waiting = list(conditions)
    while waiting:
        for test in tests_in(waiting.pop()):
            yield test
            for fact in test.facts():
                if fact.name in computed and fact.name not in seen:
                    seen.add(fact.name)
                    waiting.append(computed[fact.name])


def _named(test: Test) -> Iterable[Any]:
    match test.operand:
        case frozenset() | tuple() as several:
            return several
        case None:
            return ()
        case single:
            return (single,)


def _of_fact(fact: Fact, marks: Iterable[Any]) -> Axis:
    certain = fact.default is not None
    if fact.type in _PRESENT:
        return _axis(fact.name, "presence", fact, (), {}, 1, certain)
    if fact.type == "boolean" or fact.one_of is not None:
        values = (True, False) if fact.one_of is None else fact.one_of
        return _axis(fact.name, "values", fact, values, _numbered(values), len(values), certain)
    if fact.type in _TEXTUAL:
        texts = tuple(marks)
        return _axis(fact.name, "text", fact, texts, _numbered(texts), len(texts) + 1, certain)
    return _line(fact.name, "line", fact, marks, certain, whole=fact.type in _WHOLE)


def _age(name: str, fact: Fact, marks: Iterable[Any]) -> Axis:
    kind: Kind = "months" if name.endswith("months") else "elapsed"
    return _line(name, kind, fact, marks, certain=fact.default is not None)


def _line(name: str, kind: Kind, fact: Fact, marks: Iterable[Any], certain: bool, *, whole: bool = False) -> Axis:
    """A line; between two whole numbers next to each other is nothing."""
    cuts = tuple(sorted(marks))
    places = {cut: 2 * number + 1 for number, cut in enumerate(cuts)}
    axis = _axis(name, kind, fact, cuts, places, 2 * len(cuts) + 1, certain)
    nothing = sum(1 << places[cut] + 1 for cut in cuts[:-1] if whole and cut + 1 in places)
    return axis._replace(known=axis.known & ~nothing, full=axis.full & ~nothing)


def _numbered(values: Iterable[Any]) -> dict[Any, int]:
    return {value: number for number, value in enumerate(values)}


def _axis(
    name: str,
    kind: Kind,
    fact: Fact | None,
    marks: tuple[Any, ...],
    places: Mapping[Any, int],
    size: int,
    certain: bool,
) -> Axis:
    """An axis of `size` known classes, and, unless it is `certain`, that of unknown."""
    known = (1 << size) - 1
    return Axis(name, kind, fact, marks, places, known, known if certain else known << 1 | 1)
