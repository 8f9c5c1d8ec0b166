"""Columns for Jinja's tree, which by itself knows only lines."""

from collections.abc import Iterator
from typing import Any

from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream, ignored_tokens

from tessera.rules.source import Span


class Place(int):
    """A line number that remembers the column: Jinja hands the numbers of tokens on to its nodes unchanged."""

    column: int

    def __new__(cls, line: int, column: int) -> "Place":
        place = super().__new__(cls, line)
        place.column = column
        return place


class Columns(Extension):
    """Gives every token of a template a `Place` for its line number."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._places: list[Place] = []

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Find the places of all tokens that Jinja's parser will see."""
        self._places = list(self._find(source, name))
        return source

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Hand the tokens on with their places."""
        places = iter(self._places)
        for token in stream:
            yield Token(next(places, Place(token.lineno, 1)), token.type, token.value)

    def _find(self, source: str, name: str | None) -> Iterator[Place]:
        text = "\n".join(source.splitlines())  # As Jinja's own scanner counts lines.
        at, line, line_start = 0, 1, 0
        for _, kind, value in self.environment.lexer.tokeniter(source, name):
            start = max(text.find(value, at), at)
            newlines = text.count("\n", at, start)
            if newlines:
                line, line_start = line + newlines, text.rfind("\n", at, start) + 1
            if kind not in ignored_tokens and kind not in ("raw_begin", "raw_end"):
                yield Place(line, start - line_start + 1)
            at = start + len(value)
            newlines = value.count("\n")
            if newlines:
                line, line_start = line + newlines, text.rfind("\n", start, at) + 1


def chain_root(node: nodes.Expr) -> nodes.Expr:
    """Return what a chain of members and calls begins with."""
    while isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Call):
        node = node.node
    return node


def column_of(line: int | None) -> int:
    """Return the column of a line number that Jinja gives, 1 where it has none."""
    return getattr(line, "column", 1)


def node_span(file: str, node: nodes.Node) -> Span:
    """Return the place of a node. A chain of members begins at its root and is as wide as it is mostly written."""
    width, root = 1, node
    while isinstance(root, nodes.Getattr | nodes.Getitem | nodes.Filter | nodes.Test | nodes.Call) and root.node:
        width += _width_of_step(root)
        root = root.node
    if isinstance(root, nodes.Name):
        width += len(root.name) - 1
    elif isinstance(root, nodes.Const):
        width += len(repr(root.value)) - 1
    line, column = int(root.lineno or 1), column_of(root.lineno)
    return Span(file, line, column, column + width)


def _width_of_step(node: Any) -> int:
    if isinstance(node, nodes.Getattr):
        return 1 + len(node.attr)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return 2 + len(repr(node.arg.value))
    return 0
