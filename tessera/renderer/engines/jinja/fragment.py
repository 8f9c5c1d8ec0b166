"""Jinja's tag `fragment`: a part of a template that is cached by itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.parser import Parser

from tessera.renderer.core.layout import nested_mark
from tessera.renderer.engines.fragments import MISPLACED, NAME, NESTED, TAKES, TWICE

_TAGS: Mapping[type[nodes.Node], str] = {nodes.AssignBlock: "set", nodes.CallBlock: "call", nodes.FilterBlock: "filter"}
_PLACES = (nodes.Template, nodes.Output, nodes.If, nodes.Block, nodes.TemplateData)


@dataclass(slots=True)
class NestedFragment:
    """One use of the tag: its name, its body, and what stands for it in the template around it."""

    name: str
    body: list[nodes.Node]
    mark: nodes.TemplateData


class FragmentTag(Extension):
    """`{% fragment %}` and `{% fragment "name" %}`, up to `{% endfragment %}`.

    In the tree a mark takes its place. The bodies are collected here, for whoever parses: jinja2's compiler knows no
    other nodes than its own.
    """

    tags = {NESTED}  # noqa: RUF012 (declared so by jinja2)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._found: list[NestedFragment] = []

    def parse(self, parser: Parser) -> nodes.Node:
        """Read one use of the tag; raises TemplateSyntaxError."""
        line = next(parser.stream).lineno
        name = ""
        if not parser.stream.current.test("block_end"):
            given = next(parser.stream)
            if given.type != "string" or not NAME.fullmatch(given.value):
                raise TemplateSyntaxError(TAKES, given.lineno, parser.name, parser.filename)
            name = given.value
        body = parser.parse_statements((f"name:end{NESTED}",), drop_needle=True)
        mark = nodes.TemplateData("", lineno=line)
        self._found.append(NestedFragment(name, body, mark))
        return nodes.Output([mark], lineno=line)

    def taken(self) -> list[NestedFragment]:
        """Return what was found since this was asked last: all fragments of one template, inner ones too."""
        found, self._found = self._found, []
        return found


def nested_fragments(tree: nodes.Template, found: Sequence[NestedFragment]) -> list[NestedFragment]:
    """Return those fragments that stand in a template itself, each with a name of its own, their marks written.

    Raises TemplateSyntaxError where one stands where none can.
    """
    mine: list[NestedFragment] = []
    for node, within in _marks(tree, ""):
        fragment = next((each for each in found if each.mark is node), None)
        if fragment is None:
            continue
        if within:
            raise TemplateSyntaxError(MISPLACED.format(within), node.lineno)
        if fragment.name in [other.name for other in mine if other.name]:
            raise TemplateSyntaxError(TWICE.format(fragment.name), node.lineno)
        mine.append(fragment)
    for number, fragment in enumerate(mine, 1):
        fragment.name = fragment.name or str(number)
        fragment.mark.data = nested_mark(fragment.name)
    return mine


def _marks(node: nodes.Node, within: str) -> Iterator[tuple[nodes.TemplateData, str]]:
    if isinstance(node, nodes.TemplateData):
        yield node, within
    for child in node.iter_child_nodes():
        inside = within if isinstance(child, _PLACES) else _TAGS.get(type(child), type(child).__name__.lower())
        yield from _marks(child, inside)


def names_set(tree: nodes.Template) -> set[str]:
    """Return the names that a template sets anywhere."""
    stored = {name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param")}
    stored |= {each.name for each in tree.find_all(nodes.Macro)} | {each.target for each in tree.find_all(nodes.Import)}
    imported = (name for each in tree.find_all(nodes.FromImport) for name in each.names)
    return stored | {name if isinstance(name, str) else name[1] for name in imported}
