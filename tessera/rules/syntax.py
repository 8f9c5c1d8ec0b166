"""The tree of an expression as written, before names and types are resolved. All spans are places in the file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal as OneOf

from tessera.rules.operators import Operator
from tessera.rules.source import Span

LiteralKind = OneOf["boolean", "number", "text", "timestamp", "version", "duration"]


@dataclass(frozen=True, slots=True)
class Name:
    """A fact, a segment, a parameter: which one, the checker finds out."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Literal:
    """A written value; `text` without quotes and escapes."""

    kind: LiteralKind
    text: str
    span: Span


Operand = Name | Literal


@dataclass(frozen=True, slots=True)
class Comparison:
    """A subject, an operator, and as many operands as the operator's shape asks for."""

    subject: Operand
    operator: Operator
    operands: tuple[Operand, ...]
    ignoring_case: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Bare:
    """An operand that stands alone, as a boolean."""

    operand: Operand
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """A reusable condition with arguments; `text` is all of it as written."""

    name: Name
    arguments: tuple[Operand, ...]
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Negation:
    part: "Tree"
    span: Span


@dataclass(frozen=True, slots=True)
class Junction:
    """Parts joined by one word, `and` or `or`."""

    word: OneOf["and", "or"]
    parts: tuple["Tree", ...]
    span: Span


Tree = Comparison | Bare | Call | Negation | Junction


def names_in(tree: Tree) -> Iterator[str]:
    """Every name that an expression mentions, that of a reusable condition with `()` after it."""
    match tree:
        case Comparison(subject, _, operands):
            yield from (each.text for each in (subject, *operands) if isinstance(each, Name))
        case Bare(Name(text)):
            yield text
        case Call(name, arguments):
            yield f"{name.text}()"
            yield from (each.text for each in arguments if isinstance(each, Name))
        case Negation(part):
            yield from names_in(part)
        case Junction(_, parts):
            for part in parts:
                yield from names_in(part)
