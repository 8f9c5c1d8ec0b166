"""Reading the YAML skeleton by expected shape: every misfit becomes a complaint, and reading goes on."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from tessera.rules.diagnostics import MAX_COMPLAINTS, Diagnostic, Severity, did_you_mean
from tessera.rules.parser import parse
from tessera.rules.skeleton import MappingNode, Node, Scalar, SequenceNode, embedded
from tessera.rules.source import Source, Span
from tessera.rules.syntax import Tree

T = TypeVar("T")
W = TypeVar("W", bound=str)

MAX_EXPRESSION = 20_000
"""How many characters an expression may have."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
DOTTED_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_][A-Za-z0-9_-]*)*")


def sound(declared: Mapping[str, T | None]) -> dict[str, T]:
    """The declarations that are right, out of those that some are None of because they are wrong."""
    return {name: each for name, each in declared.items() if each is not None}


class Reader:
    """One file's nodes, and the list that complaints about them go to."""

    def __init__(self, source: Source, complaints: list[Diagnostic]) -> None:
        self.source = source
        self.complaints = complaints

    def complain(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        help: str = "",
        severity: Severity = "error",
    ) -> None:
        self.complaints.append(Diagnostic(code, severity, message, span, label, help))

    def fields(self, node: Node, what: str, keys: Collection[str], owner: Span | None = None) -> "Fields | None":
        """A mapping with known keys. `what` names it in messages; `owner` is where a missing key is reported."""
        if not isinstance(node, MappingNode):
            self.complain("R012", f"{what} must be a mapping", node.span, help=f"its keys are {', '.join(keys)}")
            return None
        found = {key.value: value for key, value in node.entries if key.value in keys}
        unknown = [key for key, _ in node.entries if key.value not in keys]
        for key in unknown[:MAX_COMPLAINTS]:
            close = did_you_mean(key.value, keys) or f"{what} has the keys {', '.join(keys)}"
            self.complain("R010", f"unknown key `{key.value}`", key.span, help=close)
        return Fields(self, what, owner or node.span, found)

    def entries(self, node: Node, what: str, name: re.Pattern[str] = NAME) -> Iterator[tuple[Scalar, Node]]:
        """The entries of a mapping whose keys are names that the author chose."""
        if not isinstance(node, MappingNode):
            self.complain("R012", f"{what} must be a mapping from names", node.span)
            return
        for key, value in node.entries:
            if name.fullmatch(key.value):
                yield key, value
            else:
                advice = "a name has letters, digits, `_` and `-`, and begins with a letter"
                self.complain("R013", f"`{key.value}` is not a name", key.span, help=advice)

    def new_entries(
        self, node: Node, noun: str, taken: Collection[str], name: re.Pattern[str] = NAME, prefix: str = ""
    ) -> Iterator[tuple[Scalar, Node]]:
        """Entries whose names, after `prefix`, are not yet among those taken."""
        for key, value in self.entries(node, f"the {noun}s", name):
            if prefix + key.value in taken:
                self.complain("R014", f"{noun} `{key.value}` is declared twice", key.span)
            else:
                yield key, value

    def items(self, node: Node, what: str) -> Sequence[Node]:
        if isinstance(node, SequenceNode):
            return node.items
        self.complain("R012", f"{what} must be a list", node.span)
        return ()

    def scalar(self, node: Node, what: str) -> Scalar | None:
        """One written value; nothing at all is none."""
        if not isinstance(node, Scalar):
            self.complain("R012", f"{what} must be one value", node.span)
            return None
        if node.plain and not node.value:
            self.complain("R013", f"{what} is empty", node.span)
            return None
        return node

    def expression(self, node: Node, what: str) -> Tree | None:
        scalar = self.scalar(node, what)
        if scalar is None:
            return None
        text = embedded(scalar, self.source)
        if text is None:
            self.complain("R209", f"{what} must stand on one line", scalar.span)
            return None
        if len(text.text) > MAX_EXPRESSION:
            self.complain("R210", f"{what} is longer than {MAX_EXPRESSION} characters", scalar.span)
            return None
        return parse(text, self.complaints)


class Fields:
    """The values under the known keys of one mapping. Each reader complains about a misfit and answers None."""

    def __init__(self, reader: Reader, what: str, span: Span, nodes: Mapping[str, Node]) -> None:
        self.reader = reader
        self.what = what
        self.span = span
        self.nodes = nodes

    def __contains__(self, key: str) -> bool:
        return key in self.nodes

    def require(self, *keys: str) -> bool:
        """Whether all of `keys` are there; complains about each that is not."""
        missing = [key for key in keys if key not in self.nodes]
        for key in missing:
            self.reader.complain("R011", f"{self.what} lacks `{key}`", self.span)
        return not missing

    def scalar(self, key: str) -> Scalar | None:
        node = self.nodes.get(key)
        return None if node is None else self.reader.scalar(node, f"`{key}`")

    def text(self, key: str) -> str | None:
        scalar = self.scalar(key)
        return None if scalar is None else scalar.value

    def value(self, key: str, parse: Callable[[str], T]) -> T | None:
        """What `parse` makes of the text; its ValueError is the complaint."""
        scalar = self.scalar(key)
        if scalar is None:
            return None
        try:
            return parse(scalar.value)
        except ValueError as error:
            self.reader.complain("R013", str(error), scalar.span)
            return None

    def choice(self, key: str, options: Sequence[W]) -> W | None:
        """One of a few words."""
        scalar = self.scalar(key)
        if scalar is None:
            return None
        for option in options:
            if option == scalar.value:
                return option
        close = did_you_mean(scalar.value, options) or f"write one of {', '.join(options)}"
        self.reader.complain("R013", f"`{scalar.value}` is no `{key}`", scalar.span, help=close)
        return None

    def texts(self, key: str) -> tuple[Scalar, ...] | None:
        """A list of values."""
        node = self.nodes.get(key)
        if node is None:
            return None
        scalars = (self.reader.scalar(item, f"each of `{key}`") for item in self.reader.items(node, f"`{key}`"))
        return tuple(scalar for scalar in scalars if scalar is not None)

    def expression(self, key: str) -> Tree | None:
        node = self.nodes.get(key)
        return None if node is None else self.reader.expression(node, f"`{key}`")
