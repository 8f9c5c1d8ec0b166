"""Rule files in one form: indentation, spaces and blank lines as everybody has them.

Only blanks change, between the tokens of YAML and between those of expressions; words, order, quotes, comments and
the breaking of lines stay the author's. What was read is compared with what will be, so a file never changes meaning.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import Any

from tessera.rules.blanks import tidied_blanks
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.parser import RESERVED_WORDS
from tessera.rules.shape import Reader
from tessera.rules.shared import SHARED_FILES
from tessera.rules.skeleton import MappingNode, Node, Scalar, SequenceNode, compose
from tessera.rules.source import Source
from tessera.rules.tokens import tokenize

# Where expressions stand: the keys that lead to one, `*` for any name and for the items of a list.
_EXPRESSIONS = {
    "facts.yaml": (("facts", "*", "is"),),
    "segments.yaml": (("segments", "*", "when"),),
    "conditions.yaml": (("conditions", "*", "when"),),
}
_PAGE_EXPRESSIONS = (("layouts", "*", "when"), ("slots", "*", "rules", "*", "when"))


def tidied(source: Source, complaints: list[Diagnostic]) -> str:
    """The text of a rule file in its one form. What cannot be read is complained of, and stays as it is."""
    found: list[Diagnostic] = []
    tree = compose(source, found)
    if tree is not None:
        expressions = _expressions(source.file, tree)
        reader = Reader(source, found)
        for scalar in expressions:
            reader.expression(scalar, "an expression")
        if not found:
            text = tidied_blanks(source.text, {scalar.start: spaced(scalar.value) for scalar in expressions})
            again = compose(Source(source.file, text), [])
            if again is not None and _said(again, source.file) == _said(tree, source.file):
                return text
    complaints += found
    return source.text


def spaced(expression: str) -> str:
    """An expression with one blank between its tokens, and none where there is to be none."""
    tokens = tokenize(expression)[:-1]
    parts = [tokens[0].text] if tokens else []
    for before, token in pairwise(tokens):
        called = token.text == "(" and before.kind == "name" and before.text not in RESERVED_WORDS
        tight = called or before.text in ("(", "[") or token.text in (")", "]", ",")
        parts.append(token.text if tight else f" {token.text}")
    return "".join(parts)


def _expressions(file: str, tree: Node) -> list[Scalar]:
    name = file.rpartition("/")[2]
    paths = _EXPRESSIONS.get(name, () if name in SHARED_FILES else _PAGE_EXPRESSIONS)
    return [each for path in paths for each in _at(tree, path)]


def _at(node: Node, path: Sequence[str]) -> Iterator[Scalar]:
    if not path:
        if isinstance(node, Scalar):
            yield node
        return
    if isinstance(node, MappingNode):
        inner = [value for key, value in node.entries if path[0] in ("*", key.value)]
    else:
        inner = list(node.items) if isinstance(node, SequenceNode) and path[0] == "*" else []
    yield from chain.from_iterable(_at(each, path[1:]) for each in inner)


def _said(tree: Node, file: str) -> Any:
    """What a file says, wherever it stands and whatever the blanks in its expressions."""
    starts = {scalar.start for scalar in _expressions(file, tree)}

    def said(node: Node) -> Any:
        match node:
            case Scalar(value):
                return spaced(value) if node.start in starts else value
            case SequenceNode(items):
                return [said(item) for item in items]
            case MappingNode(entries):
                return [(key.value, said(value)) for key, value in entries]

    return said(tree)
