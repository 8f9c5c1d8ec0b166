"""Disjunctive forms: what facts must be like for a condition to be true, with segments and negations written out.

A form errs on one side only. What it cannot say (parts of texts, a fact against a fact, time) counts as satisfied, and
so does what would make it too long. Thus a condition none of whose ways is satisfied is not true; one of whose ways is
satisfied, is true if nothing was left out of that way.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from tessera.rules.conditions import AllOf, AnyOf, Constant, Expr, Not, Test, Use, is_timed
from tessera.rules.facts import Fact, Value

RANGES = ("<", "<=", "before", "between")
"""The operators of literals that need an order of values."""

MAX_WAYS = 16
"""How long a form may be."""

_LITERAL = (*RANGES, "==", "in", "has", "has any of", "is known")
_INVERSES = {"!=": "==", "not in": "in", ">": "<=", ">=": "<", "after": "<=", "is unknown": "is known"}
_WEAKER = {"has all of": "has any of"}


class Literal(NamedTuple):
    """A test that must come out true, or false, as `wanted`; `words` is its operator, `values` are its operands."""

    fact: Fact
    words: str
    values: tuple[Value, ...]
    wanted: bool


Way = tuple[Literal | None, ...]
"""Literals of which all must be satisfied; None stands for something that was left out."""


class Form(NamedTuple):
    """The ways in which a condition can be true, and whether it looks at the clock."""

    ways: tuple[Way, ...]
    timed: bool = False


ALWAYS = Form(((),))
_NEVER = Form(())
_LEFT_OUT: tuple[Way, ...] = ((None,),)


class Forms:
    """Brings conditions into their forms; `computed` has those behind computed facts, each of which is done once."""

    def __init__(self, computed: Mapping[str, Expr]) -> None:
        self._computed = computed
        self._done: dict[tuple[str, bool], Form] = {}

    def of(self, expr: Expr, wanted: bool = True) -> Form:
        """The form of a condition, or, where it is not `wanted`, of its negation."""
        match expr:
            case Constant(value):
                return ALWAYS if value == wanted else _NEVER
            case Test():
                return self._of_test(expr, wanted)
            case Use(_, body):
                return self.of(body, wanted)
            case Not(part):
                return self.of(part, not wanted)
            case AllOf(parts) | AnyOf(parts):
                forms = [self.of(part, wanted) for part in parts]
                return _all_of(forms) if isinstance(expr, AllOf) == wanted else _any_of(forms)

    def _of_test(self, test: Test, wanted: bool) -> Form:
        words, operand = test.operator.words, test.operand
        wanted = wanted == (words not in _INVERSES)
        words = _INVERSES.get(words, words)
        if test.fact.name in self._computed and isinstance(operand, bool):
            return self._of_computed(test.fact.name, operand == wanted)
        values: tuple[Any, ...]
        match operand:
            case None:
                values = ()
            case frozenset() | tuple():
                values = tuple(operand)
            case _:
                values = (operand,)
        literal = Literal(test.fact, _WEAKER.get(words, words), values, wanted)
        if not self._is_sayable(literal) or test.ignoring_case:
            return Form(_LEFT_OUT, is_timed(test, self._computed))
        return Form(((literal, None) if words in _WEAKER else (literal,),))

    def _of_computed(self, name: str, wanted: bool) -> Form:
        if (name, wanted) not in self._done:
            self._done[name, wanted] = self.of(self._computed[name], wanted)
        return self._done[name, wanted]

    def _is_sayable(self, literal: Literal) -> bool:
        """Whether a table of values can hold the literal: not what a set must lack, and no fact against a fact."""
        if literal.words not in _LITERAL or literal.fact.name in self._computed:
            return False
        if literal.words in ("has", "has any of") and not (literal.values and literal.wanted):
            return False
        return not any(isinstance(value, Fact) for value in literal.values)


def _all_of(forms: Sequence[Form]) -> Form:
    """The conjunction. Of parts that look at the clock, which are asked one after another, only the first is in it.

    The first that is not satisfied is the only one that the truth of the whole depends on, whatever the next ones say.
    """
    timed = [form for form in forms if form.timed]
    ways: tuple[Way, ...] = ((),) if len(timed) < 2 else _LEFT_OUT
    for form in [*sorted((form for form in forms if not form.timed), key=lambda form: len(form.ways)), *timed[:1]]:
        others = form.ways if len(ways) * len(form.ways) <= MAX_WAYS else _LEFT_OUT
        ways = tuple(way + other for way in ways for other in others)
    return Form(ways, bool(timed))


def _any_of(forms: Sequence[Form]) -> Form:
    """The disjunction."""
    ways = tuple(chain.from_iterable(form.ways for form in forms))
    return Form(ways if len(ways) <= MAX_WAYS else _LEFT_OUT, any(form.timed for form in forms))
