"""The operators of expressions: one row each.

Parser, checker, compiler, evaluator and the documentation's test all read this table; to add an operator is to add a
row, a case and a line of docs.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import re2  # type: ignore[import-untyped]

from tessera.rules.facts import TYPES, FactType
from tessera.rules.values import END_OF_TIME, Period

Shape = Literal["nothing", "value", "part", "range", "list", "element", "elements", "pattern", "moment", "period"]
"""What stands after an operator.

nothing; one value of the subject's type; a text that may be part of one; two values, with `and` between; a list of
values; one text that a set may hold; a list of such; a regular expression; a moment; a period of the calendar.
"""

_NUMBERS: tuple[FactType, ...] = ("integer", "decimal", "money")
_ORDERED: tuple[FactType, ...] = (*_NUMBERS, "duration", "version")
_TEXTS: tuple[FactType, ...] = ("string", "enumeration")


Check = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True)
class Operator:
    """How one operator is written, what it takes, and what it means for known values.

    `test(value, operand)` for most; operators that look at the clock have `flip` instead: given the moment that is
    compared and the period, the moments at which the truth changes, first from false to true.
    """

    words: str
    subjects: tuple[FactType, ...]
    shape: Shape
    test: Check | None
    about: str
    folds: bool = False
    sees_unknown: bool = False
    flips: Callable[[datetime, Period], tuple[datetime, ...]] | None = None

    @property
    def check(self) -> Check:
        """The test of an operator that does not look at the clock."""
        assert self.test is not None
        return self.test

    def state(self, moment: datetime, period: Period, now: datetime) -> tuple[bool, datetime | None]:
        """For operators that look at the clock: the truth at `now`, and until when it holds (None: for good)."""
        assert self.flips is not None
        truth = False
        for flip in self.flips(moment, period):
            if now < flip:
                return truth, flip if flip < END_OF_TIME else None
            truth = not truth
        return truth, None


def _between(value: Any, bounds: tuple[Any, Any]) -> bool:
    return bool(bounds[0] <= value <= bounds[1])


def _searches(value: str, pattern: Any) -> bool:
    return pattern.search(value) is not None


ROWS = (
    Operator("==", (*_ORDERED, *_TEXTS, "boolean"), "value", operator.eq, "is equal to", folds=True),
    Operator("!=", (*_ORDERED, *_TEXTS, "boolean"), "value", operator.ne, "is not equal to", folds=True),
    Operator("<", _ORDERED, "value", operator.lt, "is less than"),
    Operator("<=", _ORDERED, "value", operator.le, "is at most"),
    Operator(">", _ORDERED, "value", operator.gt, "is more than"),
    Operator(">=", _ORDERED, "value", operator.ge, "is at least"),
    Operator("between", (*_ORDERED, "timestamp"), "range", _between, "lies between, both ends included"),
    Operator("in", (*_ORDERED, *_TEXTS), "list", lambda v, of: v in of, "is one of", folds=True),
    Operator("not in", (*_ORDERED, *_TEXTS), "list", lambda v, of: v not in of, "is none of", folds=True),
    Operator("has", ("set",), "element", operator.contains, "holds"),
    Operator("has any of", ("set",), "elements", lambda v, of: not of.isdisjoint(v), "holds at least one of"),
    Operator("has all of", ("set",), "elements", lambda v, of: of <= v, "holds each of"),
    Operator("contains", ("string",), "part", operator.contains, "has the text somewhere in it", folds=True),
    Operator("starts with", ("string",), "part", str.startswith, "begins with", folds=True),
    Operator("ends with", ("string",), "part", str.endswith, "ends with", folds=True),
    Operator("matches", ("string",), "pattern", _searches, "has a match of the RE2 pattern", folds=True),
    Operator("before", ("timestamp",), "moment", operator.lt, "is earlier than"),
    Operator("after", ("timestamp",), "moment", operator.gt, "is later than"),
    Operator(
        "within",
        ("timestamp",),
        "period",
        None,
        "was, and not longer ago than",
        flips=lambda moment, period: (moment, period.after(moment)),
    ),
    Operator(
        "older than",
        ("timestamp",),
        "period",
        None,
        "was at least this long ago",
        flips=lambda moment, period: (period.after(moment),),
    ),
    Operator("is known", TYPES, "nothing", lambda v, _: v is not None, "has a value", sees_unknown=True),
    Operator("is unknown", TYPES, "nothing", lambda v, _: v is None, "has no value", sees_unknown=True),
)

OPERATORS: Mapping[str, Operator] = {row.words: row for row in ROWS}

IGNORING_CASE = "ignoring case"


def ignoring_case(check: Check) -> Check:
    """The same test of texts whatever their case; the texts of a list are case-folded already."""

    def folded(value: str, operand: Any) -> bool:
        return check(value.casefold(), operand.casefold() if isinstance(operand, str) else operand)

    return folded


class PatternError(ValueError):
    """A regular expression that RE2 refuses."""


def compile_pattern(text: str, ignoring_case: bool) -> Any:
    """A linear-time matcher (https://github.com/google/re2); raises PatternError.

    RE2 has no backreferences and no look-around, which is what makes it linear. Its memory is bounded too.
    """
    options = re2.Options()
    options.case_sensitive = not ignoring_case
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(text, options=options)
    except re2.error as error:
        problem = error.args[0]
        raise PatternError(problem.decode() if isinstance(problem, bytes) else str(problem)) from None
