"""What a template can read, told from its tree alone: the part that both languages share.

Each language walks its own tree with an abstract interpreter and follows where the inputs go: through assignments,
loops, partials and filters. It works on `Value`s, which say what an expression may stand for, and notes in a `Ledger`
what is really looked at. Looking is eager, taking is lazy: `{% assign p = item.price %}` takes, `{{ p.amount }}` looks.

A demanded path means this, and whoever hands a template less than everything must keep to it:

- a name picks that member of an object. Where a list stands instead of the object it goes through to each element;
  where anything without members stands (a text, a number, nothing), that value itself is demanded;
- `[]` is every element of a list, and of lists within it; an object met there is demanded whole, and so is a text;
- `#` is the length of a list, and of lists within it, or the number of members of an object, so also whether it is
  there and empty; of anything else it is the value itself;
- the end of a path means everything beneath it; `()` is all inputs.

Of a path that is nowhere looked at but in tests, such as a comparison with a constant, the demands tell these tests:
no more of its value can show.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tessera.renderer.core.paths import EACH, SIZE, Path
from tessera.renderer.core.quotients import PRESENCE, Test, Tests
from tessera.rules.source import Span

LISTS: frozenset[Path] = frozenset({("items",)})
"""Inputs that are lists wherever they are there, so that a name never picks one of their members."""

MAX_PATH_LENGTH = 8
MAX_ALIASES = 50
MAX_NESTING = 5


class TooComplexError(Exception):
    """The analysis would take too long. The template then counts as reading everything."""


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression may stand for.

    `aliases` are paths of the inputs that it may be, or may be a part of in the same order and shape (a sorted or
    filtered list). `members` and `element` are what a template put together itself: an object's members by name, the
    elements of a list. `callables` is what calling it may run. All empty: something computed from what was already
    demanded, so looking into it demands nothing.
    """

    aliases: frozenset[Path] = frozenset()
    members: Mapping[str, "Value"] = field(default_factory=dict)
    element: "Value | None" = None
    callables: frozenset[object] = frozenset()

    def __or__(self, other: "Value") -> "Value":
        """What stands for either."""
        if other in (self, NOTHING):
            return self
        if self == NOTHING:
            return other
        members = dict(self.members)
        for name, value in other.members.items():
            members[name] = members[name] | value if name in members else value
        element = self.element
        if other.element is not None:
            element = other.element if element is None else element | other.element
        return Value(self.aliases | other.aliases, members, element, self.callables | other.callables)

    def parts(self) -> Iterable["Value"]:
        """What the template put into it."""
        yield from self.members.values()
        if self.element is not None:
            yield self.element

    def depth(self) -> int:
        """Levels of what the template put together."""
        return 1 + max((part.depth() for part in self.parts()), default=0)


NOTHING = Value()


def of(path: Path) -> Value:
    """Return what stands for one path of the inputs."""
    return Value(frozenset({path}))


def either(values: Iterable[Value]) -> Value:
    """Return what stands for any of them."""
    result = NOTHING
    for value in values:
        result |= value
    return result


@dataclass(frozen=True, slots=True)
class Demands:
    """What a template can read; see `base.Template` for each."""

    paths: frozenset[Path]
    tests: Tests
    reads: tuple[tuple[Path, Span], ...]
    widened: tuple[Span, ...]

    @classmethod
    def everything(cls, span: Span) -> "Demands":
        """Return the demands of a template of which nothing can be told."""
        return cls(frozenset({()}), {}, (((), span),), (span,))


class Ledger:
    """Notes what a template looks at while its tree is walked."""

    def __init__(self, budget: int) -> None:
        """`budget` is how many nodes may be visited, each as often as it is."""
        self._looked: dict[Path, Span] = {}
        self._tested: dict[Path, dict[Test, Span]] = {}
        self._taken: dict[Path, Span] = {}
        self._widened: dict[Span, None] = {}
        self._left = budget

    def visit(self) -> None:
        """Pay for one node; raises TooComplexError."""
        self._left -= 1
        if self._left < 0:
            raise TooComplexError

    def demands(self) -> Demands:
        """Return what was noted, without what is implied by something else in it."""
        reads = dict(self._looked)
        for path, span in self._taken.items():
            if not any(noted[: len(path)] == path for noted in (*self._looked, *self._tested)):
                reads.setdefault(_presence(path), span)
        kept = {path: span for path, span in reads.items() if not _implied(path, reads)}
        tests = {path: frozenset(asked) for path, asked in self._tested.items() if not _beneath(path, kept)}
        kept |= {path: next(iter(self._tested[path].values())) for path in tests}
        return Demands(frozenset(kept), tests, tuple(sorted(kept.items())), tuple(sorted(self._widened)))

    # Looking: each of these demands something.

    def whole(self, value: Value, span: Span) -> None:
        """All of it is read, or handed to something that may read all of it."""
        for path in value.aliases:
            self._look(path, span)
        for part in value.parts():
            self.whole(part, span)

    def presence(self, value: Value, span: Span) -> None:
        """Whether it is there and not empty is read: what conditions and defaults ask.

        Of a member that is a test of its value, which is mostly a plain one.
        """
        for path in value.aliases:
            if path == _presence(path):
                self._ask(path, PRESENCE, span)
            else:
                self._look(_presence(path), span)

    def asked(self, value: Value, test: Test, span: Span) -> None:
        """It is compared with a constant, or asked something else whose outcome is all that matters of it."""
        for path in value.aliases:
            self._ask(path, test, span)
        for part in value.parts():
            self.whole(part, span)

    def length(self, value: Value, span: Span) -> None:
        """How many elements or members it has is read."""
        for path in value.aliases:
            self._look((*path, SIZE), span)

    def everything(self, span: Span) -> None:
        """Any input may be read."""
        self._look((), span)
        self._widened[span] = None

    def widen(self, value: Value, span: Span) -> None:
        """It is read at a place that only the data decides, so all of it is demanded, and reported."""
        if value.aliases:
            self._widened[span] = None
        self.whole(value, span)

    def take(self, value: Value, span: Span) -> Value:
        """Note that an expression stands for this value and return the value; it is demanded if looked at later."""
        for path in value.aliases:
            if path[-1:] != (EACH,):
                self._taken.setdefault(path, span)
        return value

    # Stepping into a value: these demand nothing by themselves.

    def member(self, value: Value, name: str, span: Span) -> Value:
        """Return the member with a name that is known."""
        if name in (EACH, SIZE):
            self.widen(value, span)
            return either(value.parts())
        names = ((*path, name) for path in value.aliases if path not in LISTS)
        return self._bounded(names, span) | value.members.get(name, NOTHING)

    def elements(self, value: Value, span: Span) -> Value:
        """Return what iterating gives. Elements of an element are that again, where lists lie within one another."""
        paths = {(*path, EACH) for path in value.aliases} | {path for path in value.aliases if path[-1:] == (EACH,)}
        return self._bounded(paths, span) | (value.element or NOTHING)

    def made(self, value: Value, span: Span) -> Value:
        """Return a value that the template put together, demanded and forgotten where it nests too deeply."""
        if value.depth() <= MAX_NESTING:
            return value
        self.widen(value, span)
        return Value(callables=value.callables)

    def settle(self, value: Value, span: Span) -> Value:
        """Demand all of a value and return what stands for it afterwards: ends a search that finds no fixed point."""
        self.widen(value, span)
        return Value(callables=value.callables)

    def _bounded(self, paths: Iterable[Path], span: Span) -> Value:
        fresh = frozenset(path for path in paths if not self._covered(path))
        long = frozenset(path for path in fresh if len(path) > MAX_PATH_LENGTH)
        if len(fresh) > MAX_ALIASES:
            long = fresh
        if long:
            self.widen(Value(long), span)
        return Value(fresh - long)

    def _look(self, path: Path, span: Span) -> None:
        if not self._covered(path):
            named = path[:-1] if path[-1:] == (SIZE,) else path
            self._looked[path] = self._taken.get(named, span)

    def _ask(self, path: Path, test: Test, span: Span) -> None:
        if not self._covered(path):
            self._tested.setdefault(path, {}).setdefault(test, self._taken.get(path, span))

    def _covered(self, path: Path) -> bool:
        return any(path[:length] in self._looked for length in range(len(path) + 1))


def _presence(path: Path) -> Path:
    return (*path, SIZE) if len(path) == 1 or path[-1:] == (EACH,) else path


def _beneath(path: Path, others: Mapping[Path, Span]) -> bool:
    """Whether another path is the beginning of this one, or all of it."""
    return any(path[:length] in others for length in range(len(path) + 1))


def _implied(path: Path, others: Mapping[Path, Span]) -> bool:
    """Whether another path demands this one too: one that ends above it, or the elements where this is the length."""
    if path and _beneath(path[:-1], others):
        return True
    each = (*path[:-1], EACH)
    return path[-1:] == (SIZE,) and any(other[: len(each)] == each for other in others)
