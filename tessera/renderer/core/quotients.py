"""Quotients: what stands for a value of which a template only asks something.

A template that asks whether a tier is `gold` cannot tell `silver` from `platinum`. So their visitors may share a
fragment: values that answer all questions of a template alike are one class, and one of them, its stand-in, is both
what the key is made of and what the template is handed. The template never sees the value itself. A question that was
overlooked could make it answer wrongly; it could not show one visitor what is another's.

A stand-in is found by asking: it is the first of some fixed candidates that answers as the value does. Where none does,
the value stands for itself. So nothing here knows how a template language compares things.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain, combinations, pairwise
from math import floor

from tessera.renderer.core.paths import EACH, SIZE, Path

REMEMBERED = 256
"""Values whose stand-in is remembered for each tested input of a template."""

MAX_SOUGHT = 6
"""Constants of which lists are made up to stand for others; of more than that there would be too many."""

MAX_NUMBER = 10**15
"""What constants beyond it divide, stands for itself: larger ones cannot be reckoned with in every type."""

OTHER = "other"
"""Begins what stands for texts that no template names."""


@dataclass(frozen=True, slots=True)
class Test:
    """A question that a template asks of a value, such as `… == "gold"`.

    `words` are how its author says it, with `…` for the value, and tell it from every other question of the same
    language. `ask` answers it as the language would, for any value, and raises nothing. `constants` are what values are
    compared with.
    """

    __test__ = False  # It is none of pytest's.

    words: str
    ask: Callable[[object], Hashable] = field(compare=False, repr=False)
    constants: tuple[object, ...] = field(default=(), compare=False, repr=False)


def _presence(value: object) -> tuple[bool, bool]:
    return bool(value), isinstance(value, str) and value.isspace()


PRESENCE = Test("… is there", _presence)
"""Whether a value is there, true, empty or blank: all that conditions and defaults ask, in both languages."""

Tests = Mapping[Path, frozenset[Test]]
"""The questions that a template asks, by the path of what it asks them of."""


class Quotient:
    """The classes into which some tests divide values. What it has worked out it remembers: values come again."""

    def __init__(self, tests: Iterable[Test]) -> None:
        self.tests = tuple(sorted(tests, key=lambda test: test.words))
        self._constants = tuple(constant for test in self.tests for constant in test.constants)
        self._stand_ins: dict[type, dict[Hashable, object]] = {}
        self._remembered = lru_cache(REMEMBERED, typed=True)(self._found)

    def stand_in(self, value: object) -> object:
        """Return the value that stands for all that answer as this one does, of its type; itself where none does."""
        return self._found(value) if isinstance(value, list | dict) else self._remembered(value)

    def _found(self, value: object) -> object:
        kind = type(value)
        known = self._stand_ins.get(kind)
        if known is None:
            known = {}
            for candidate in _candidates(kind, self._constants):
                known.setdefault(self._answers(candidate), candidate)
            self._stand_ins[kind] = known
        return known.get(self._answers(value), value)

    def _answers(self, value: object) -> Hashable:
        return tuple([test.ask(value) for test in self.tests])


class Uses:
    """How a template uses the inputs: as a tree of their names. What is not demanded has no place in it."""

    __slots__ = ("members", "quotient", "whole")

    def __init__(self, *, whole: bool = False) -> None:
        self.whole = whole
        self.quotient: Quotient | None = None
        self.members: dict[str, Uses] = {}

    @classmethod
    def of(cls, demands: Iterable[Path], tests: Tests) -> "Uses":
        """Return the uses of all inputs by a template's demands, of which those with tests are only tested."""
        root = cls()
        for path in demands:
            uses = root
            for name in path:
                uses = uses.members.setdefault(name, cls())
            if path in tests:
                uses.quotient = Quotient(tests[path])
            else:
                uses.whole = True
        return root

    def at(self, path: Iterable[str]) -> "Uses":
        """Return how a part is used: as a whole, wherever something that holds it is used itself."""
        uses = self
        for name in path:
            if uses.whole or uses.quotient is not None or name not in uses.members:
                return Uses(whole=True)
            uses = uses.members[name]
        return uses

    def stand_in(self, value: object) -> object:
        """Return what stands for a value that is used so: of an object, its members' stand-ins."""
        if self.whole:
            return value
        if self.members:
            if not isinstance(value, dict) or not self._by_name:
                return value
            return {
                name: self.members[name].stand_in(member) if name in self.members else member
                for name, member in value.items()
            }
        return value if self.quotient is None else self.quotient.stand_in(value)

    @property
    def _by_name(self) -> bool:
        """Whether only members are used, and at most the object's presence, not its elements or how many there are."""
        asked = self.quotient is None or self.quotient.tests == (PRESENCE,)
        return asked and EACH not in self.members and SIZE not in self.members

    def words(self, path: str) -> Iterator[str]:
        """Yield what the template asks of a value at a path, and of its members, as its author would say it."""
        if self.quotient is not None:
            yield from (test.words.replace("…", path) for test in self.quotient.tests)
        for name, uses in self.members.items():
            yield from uses.words(f"{path}.{name}")


def _candidates(kind: type, constants: Iterable[object]) -> Iterator[object]:
    """Yield values of a type, such that most classes have one among them; always the same ones in the same order."""
    flat = list(_flat(constants))
    numbers = sorted(each for each in flat if isinstance(each, int | float) and abs(each) <= MAX_NUMBER)
    texts = sorted({str(each) for each in flat if isinstance(each, str)})
    if kind is bool:
        yield from (False, True)
    elif kind is str:
        yield from (OTHER + "-" * length for length in range(len(texts) + 1))
        yield from ("", " ")
        yield from texts
        yield from (text + " " for text in texts)
    elif kind is int:
        yield from (1, 0)
        yield from (floor(number) + step for number in numbers for step in (0, -1, 1))
    elif kind is float or kind is Decimal:
        between = [one + (other - one) / 2 for one, other in pairwise(numbers)]
        yield from map(kind, (1, 0, *numbers, *between, *(number + step for number in numbers for step in (-1, 1))))
    elif kind is datetime:
        yield datetime(2000, 1, 1, tzinfo=UTC)
    elif kind is list:
        found = texts[:MAX_SOUGHT]
        some = chain.from_iterable(combinations(found, count) for count in range(len(found) + 1))
        yield from (made for each in some for made in ([*each, OTHER], [*each]))
    elif kind is dict:
        yield from ({OTHER: None}, {})


def _flat(constants: Iterable[object]) -> Iterator[object]:
    for constant in constants:
        if isinstance(constant, tuple | list):
            yield from _flat(constant)
        else:
            yield constant
