"""The YAML skeleton of rule files: text → a tree of mappings, sequences and scalars that know their places.

Strict: what could surprise an author is refused. Scalars stay the text that was written, so `NO` is no boolean and
`9:30` no number; what a scalar means is up to the key it stands under. Anchors, aliases, tags, directives, merge keys,
further documents, complex keys and duplicate keys are errors, and sizes are bounded.

Events come from libyaml, which PyYAML's wheels carry; where they are missing, from PyYAML itself, thirty times as slow.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from tessera.rules.diagnostics import MAX_COMPLAINTS, Diagnostic
from tessera.rules.source import Embedded, Source, Span

LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_BYTES = 4 << 20
"""The largest rule file that is read: some 20,000 rules."""

MAX_DEPTH = 16
"""How deep collections may nest; the format itself needs nine levels."""

_REFUSED = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DOUBLE_QUOTED = re.compile(r"\\x..|\\u....|\\U........|\\.|.")
_SINGLE_QUOTED = re.compile("''|.")

_IN_BRACKETS = "a value that holds brackets or commas needs quotes here"

# What both event sources say of a problem, and the character there → what to tell the author: message, help, whether
# to point at where it began.
_CAUSES = (
    (
        re.compile("mapping values are not allowed"),
        "a second `: ` in one value",
        "put the whole value in quotes",
        False,
    ),
    (re.compile(r"'\\t'"), "a tab cannot indent", "indent with spaces", False),
    (re.compile("cannot start any token"), "no value can begin like this", "put the whole value in quotes", False),
    (
        re.compile("directive|YAML document"),
        "directives are not allowed",
        "take out the line that begins with `%`",
        False,
    ),
    (re.compile("escape"), "no such escape", "write a backslash as `\\\\`, or use single quotes", False),
    (re.compile("quoted scalar"), "the quoted text is not closed", "", True),
    (
        re.compile("flow (sequence|mapping)"),
        "this bracket is not closed, or a comma is missing in it",
        _IN_BRACKETS,
        True,
    ),
)
_NOT_YAML = (re.compile(""), "this is not valid YAML", "", False)


class Scalar(NamedTuple):
    """A written value. `start` and `end` are offsets into the file's text, quotes included."""

    value: str
    plain: bool
    span: Span
    start: int
    end: int


class SequenceNode(NamedTuple):
    items: tuple["Node", ...]
    span: Span


class MappingNode(NamedTuple):
    """Entries in written order; no key twice."""

    entries: tuple[tuple[Scalar, "Node"], ...]
    span: Span


Node = Scalar | SequenceNode | MappingNode


class _Unreadable(Exception):
    """The rest of the file cannot be read; the complaint is made already."""


def compose(source: Source, complaints: list[Diagnostic]) -> Node | None:
    """The tree of a file: an empty mapping for an empty file, None when it is no YAML. Complaints are appended."""
    refused = _REFUSED.search(source.text)
    if refused:
        line = source.text.count("\n", 0, refused.start()) + 1
        column = refused.start() - source.text.rfind("\n", 0, refused.start())
        span = Span(source.file, line, column, column + 1)
        name = f"U+{ord(refused.group()):04X}"
        complaints.append(Diagnostic("R002", "error", f"the character {name} is not allowed", span))
        return None
    composer = _Composer(source, complaints)
    try:
        return composer.document()
    except yaml.MarkedYAMLError as error:
        complaints.append(composer.explained(error))
    except _Unreadable:
        pass
    return None


def embedded(scalar: Scalar, source: Source) -> Embedded | None:
    """A scalar's value with the columns of its characters; None when it is not written on one line."""
    written = source.text[scalar.start : scalar.end]
    if "\n" in written:
        return None
    first = scalar.span.column
    quotes = 0 if scalar.plain else 1
    if len(written) == len(scalar.value) + 2 * quotes:  # without escapes
        columns = range(first + quotes, first + quotes + len(scalar.value) + 1)
        return Embedded(scalar.value, source.file, scalar.span.line, columns)
    characters = _SINGLE_QUOTED if written[0] == "'" else _DOUBLE_QUOTED
    escaped = [first + match.start() for match in characters.finditer(written, 1)]
    return Embedded(scalar.value, source.file, scalar.span.line, escaped)


class _Composer:
    def __init__(self, source: Source, complaints: list[Diagnostic]) -> None:
        self._source = source
        self._complaints = complaints
        self._made = 0
        self._next: Callable[[], Event] = LOADER(source.text).get_event

    def document(self) -> Node:
        document: Node | None = None
        while not isinstance(event := self._next(), StreamEndEvent):
            if not isinstance(event, DocumentStartEvent):
                continue
            if document is not None:
                self._complain("R004", "a rule file holds one document only", self._span(event))
                break
            if event.version or event.tags:
                self._complain("R004", "directives are not allowed", self._span(event))
            document = self._node(self._next(), 1)
        return document or MappingNode((), Span(self._source.file, 1, 1, 1))

    def _node(self, event: Event, depth: int) -> Node | None:
        """What begins with this event; None for an alias, which is left out."""
        span = self._span(event)
        if depth > MAX_DEPTH:
            self._complain("R007", f"the file nests deeper than {MAX_DEPTH} levels", span)
            raise _Unreadable
        if isinstance(event, AliasEvent):
            self._complain("R005", "aliases are not allowed", span, "write the value out")
            return None
        assert isinstance(event, ScalarEvent | CollectionStartEvent)
        if event.anchor is not None:
            self._complain("R005", "anchors are not allowed", span, "take the `&` word out")
        if event.tag is not None:
            self._complain("R006", "tags are not allowed", span, "take the `!` word out")
        if isinstance(event, ScalarEvent):
            return self._scalar(event, span)
        if isinstance(event, SequenceStartEvent):
            return SequenceNode(tuple(self._items(depth)), span)
        return MappingNode(tuple(self._entries(depth)), span)

    def _scalar(self, event: ScalarEvent, span: Span) -> Scalar:
        assert event.start_mark is not None
        assert event.end_mark is not None
        if event.style == '"' and _SURROGATE.search(event.value):
            self._complain("R002", "the text holds half of a surrogate pair", span)
            raise _Unreadable
        return Scalar(event.value, not event.style, span, event.start_mark.index, event.end_mark.index)

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := self._next(), CollectionEndEvent):
            item = self._node(event, depth + 1)
            if item is not None:
                yield item

    def _entries(self, depth: int) -> Iterator[tuple[Scalar, Node]]:
        lines: dict[str, int] = {}
        while not isinstance(event := self._next(), CollectionEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(self._next(), depth + 1)
            if not isinstance(key, Scalar):
                self._complain("R008", "a key must be one word", self._span(event))
            elif key.value in lines:
                label = f"first on line {lines[key.value]}"
                self._complain("R009", f"duplicate key `{key.value}`", key.span, label=label)
            else:
                lines[key.value] = key.span.line
                if value is not None:
                    yield key, value

    def explained(self, error: yaml.MarkedYAMLError) -> Diagnostic:
        """The complaint about what is no YAML."""
        at = error.problem_mark.index if error.problem_mark else 0
        told = f"{error.context} {error.problem} {self._source.text[at : at + 1]!r}"
        _, message, advice, at_start = next(filter(lambda cause: cause[0].search(told), (*_CAUSES, _NOT_YAML)))
        mark = (at_start and error.context_mark) or error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        span = Span(self._source.file, line, column, column + 1)
        return Diagnostic("R003", "error", message, span, help=advice)

    def _span(self, event: Event) -> Span:
        start, end = event.start_mark, event.end_mark
        assert start is not None
        assert end is not None
        line = start.line + 1
        if end.line == start.line:
            return Span(self._source.file, line, start.column + 1, end.column + 1)
        return Span(self._source.file, line, start.column + 1, len(self._source.lines[start.line]) + 1)

    def _complain(self, code: str, message: str, span: Span, help: str = "", label: str = "") -> None:
        self._complaints.append(Diagnostic(code, "error", message, span, label, help))
        self._made += 1
        if self._made == MAX_COMPLAINTS:
            raise _Unreadable
