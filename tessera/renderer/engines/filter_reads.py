"""What filters look at of their input and what they give on: words in which each language says it of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tessera.renderer.engines.demands import LISTS, NOTHING, Ledger, Value
from tessera.rules.source import Span


@dataclass(frozen=True, slots=True)
class Argument:
    """What is handed to a filter: what it stands for, and its text where that is written in the template."""

    value: Value
    text: str | None = None


@dataclass(frozen=True, slots=True)
class FilterUse:
    """One use of a filter.

    `paths` tells how the language reads the name of a member that is handed to a filter: as some paths of names, of
    which any may be looked at.
    """

    ledger: Ledger
    left: Value
    positional: Sequence[Argument]
    named: Mapping[str, Argument]
    span: Span
    paths: Callable[[str], Sequence[Sequence[str]]]

    def whole(self) -> Value:
        """It may read everything that it is handed, and gives something new."""
        self.ledger.whole(self.left, self.span)
        return self.given(NOTHING)

    def size(self) -> Value:
        """It counts."""
        self.ledger.length(self.left, self.span)
        return self.given(NOTHING)

    def entry(self) -> Value:
        """It picks one element, by its place."""
        self.ledger.length(self.left, self.span)
        return self.given(self.ledger.elements(self.left, self.span))

    def same(self) -> Value:
        """It gives the same elements, perhaps fewer or in another order, without looking at them."""
        self.ledger.length(self.left, self.span)
        return self.given(self.left)

    def part(self) -> Value:
        """It cuts out a part: of a list without looking at the elements, of anything else out of its text."""
        return self.same() if self.left.aliases <= LISTS else self.whole()

    def default(self, name: str, position: int) -> Value:
        """It gives its input, or an argument where that is missing or empty."""
        self.ledger.presence(self.left, self.span)
        default = self.argument(name, position)
        for argument in (*self.positional, *self.named.values()):
            if argument is not default:
                self.ledger.whole(argument.value, self.span)
        return self.left | default.value

    def concat(self) -> Value:
        """It gives the elements of several lists."""
        result = self.left
        self.ledger.length(self.left, self.span)
        for argument in self.positional:
            self.ledger.length(argument.value, self.span)
            result |= argument.value
        return result

    def pieces(self, filling: str, position: int) -> Value:
        """It gives lists of the same elements, and perhaps of what fills the last one."""
        self.ledger.length(self.left, self.span)
        inner = self.left | Value(element=self.argument(filling, position).value)
        return self.given(self.ledger.made(Value(element=inner), self.span))

    def ordered(self, name: str, position: int) -> Value:
        """It orders or chooses elements by some of their members, or by all of each where none are named."""
        self._look(name, position)
        return self.given(self.left)

    def one(self, name: str, position: int) -> Value:
        """It chooses one element by a member."""
        self._look(name, position)
        return self.given(self.ledger.elements(self.left, self.span))

    def computed(self, name: str, position: int) -> Value:
        """It computes something from one member of each element."""
        self._look(name, position)
        return self.given(NOTHING)

    def any_with(self, name: str, position: int) -> Value:
        """It asks whether an element with a member is there, and is not empty itself."""
        self.ledger.presence(self.ledger.elements(self.left, self.span), self.span)
        return self.computed(name, position)

    def chosen(self) -> Value:
        """It keeps the elements that pass a test, or that are not empty where no test is named."""
        elements = self.ledger.elements(self.left, self.span)
        self.ledger.length(self.left, self.span)
        look = self.ledger.whole if self.positional or self.named else self.ledger.presence
        look(elements, self.span)
        return self.given(self.left)

    def grouped(self, name: str, position: int) -> Value:
        """It gives the elements in lists, each with the value of a member that they share."""
        shared = self._look(name, position) | self.argument("default", position + 1).value
        group = Value(members={"grouper": shared, "0": shared, "list": self.left, "1": self.left})
        return self.given(self.ledger.made(Value(element=group), self.span))

    def members(self, name: str, position: int) -> Value:
        """It gives one member of each element, or a default where that is missing."""
        attribute = self.argument(name, position)
        self.ledger.length(self.left, self.span)
        if attribute.text is None:
            self.ledger.widen(self.left, self.span)
            return self.given(NOTHING)
        found = self.ledger.take(self._members(attribute.text), self.span)
        default = self.named.get("default", ABSENT)
        if default is not ABSENT:
            self.ledger.presence(found, self.span)
        return self.ledger.made(Value(element=found | default.value), self.span)

    def argument(self, name: str, position: int) -> Argument:
        """Return an argument that may be handed over by name or position, or ABSENT."""
        if name in self.named:
            return self.named[name]
        return self.positional[position] if position < len(self.positional) else ABSENT

    def given(self, result: Value) -> Value:
        """It reads all its arguments."""
        for argument in (*self.positional, *self.named.values()):
            self.ledger.whole(argument.value, self.span)
        return result

    def _look(self, name: str, position: int) -> Value:
        """Look at the members that an argument names, in all elements; return what stands for them."""
        self.ledger.length(self.left, self.span)
        attribute = self.argument(name, position)
        if attribute is ABSENT:
            self.ledger.whole(self.left, self.span)
            return NOTHING
        if attribute.text is None:
            self.ledger.widen(self.left, self.span)
            return NOTHING
        found = self._members(attribute.text)
        self.ledger.whole(found, self.span)
        return found

    def _members(self, text: str) -> Value:
        found = NOTHING
        for path in self.paths(text):
            value = self.ledger.elements(self.left, self.span)
            for name in path:
                value = self._member(value, name)
            found |= value
        return found

    def _member(self, value: Value, name: str) -> Value:
        member = self.ledger.member(value, name, self.span)
        if not name.isdigit():
            return member
        self.ledger.length(value, self.span)
        return member | self.ledger.elements(value, self.span)


ABSENT = Argument(NOTHING)

Reads = Mapping[str, Callable[[FilterUse], Value]]
"""For each filter what it does. One that is not in a language's table counts as `FilterUse.whole`."""
