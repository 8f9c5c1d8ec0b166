"""Refuses what Jinja could compile and this house does not offer, and what it would compile too slowly or wrongly."""

from collections.abc import Iterable, Iterator
from math import isfinite
from unicodedata import normalize

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from tessera.renderer.engines.base import TOO_DEEP, SyntaxFault
from tessera.renderer.engines.filter_arguments import CLOCK_WORDS, NO_CLOCK
from tessera.renderer.engines.jinja.places import column_of

MAX_DEPTH = 100
MAX_NODES = 20_000
MAX_BRANCHED_NAMES = 50_000
_CALLED_ONLY = ("self", "super")
_NAMED = (nodes.Name, nodes.NSRef, nodes.Macro, nodes.Block, nodes.Import, nodes.FromImport, nodes.Keyword)


def bound(tree: nodes.Template) -> nodes.Template:
    """Return a tree that may be compiled and run; the given one is used up. Raises SyntaxFault."""
    _check_size(tree)
    _check_names(tree)
    _Refusals().visit(tree)
    return tree


def _check_size(tree: nodes.Template) -> None:
    """Refuse what jinja2 would compile too slowly or not at all; it is linear itself."""
    level: list[nodes.Node] = [tree]
    count, branches, names = 0, 0, set[str]()
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
        count += len(level)
        branches += sum(isinstance(node, nodes.If) for node in level)
        names.update(node.name for node in level if isinstance(node, nodes.Name))
        if not level:
            break
    else:
        raise _fault(level[0], TOO_DEEP)
    # For every branch jinja2 copies its table of names.
    if count > MAX_NODES or branches * len(names) > MAX_BRANCHED_NAMES:
        raise _fault(tree, "the template has too many parts: move some of them into partials")


def _check_names(tree: nodes.Template) -> None:
    """Refuse names that Python reads as other ones (it brings identifiers into the form NFKC): two would be one."""
    for node in tree.find_all(_NAMED):
        for name in _names(node):
            plain = normalize("NFKC", name)
            if plain != name:
                raise _fault(node, f"write `{plain}` for `{name}`: the two are read as one name")


def _names(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.FromImport):
        for each in node.names:
            yield from each if isinstance(each, tuple) else (each,)
    elif isinstance(node, nodes.Import):
        yield node.target
    elif isinstance(node, nodes.Keyword):
        yield node.key
    elif isinstance(node, nodes.Name | nodes.NSRef | nodes.Macro | nodes.Block):
        yield node.name


class _Refusals(NodeTransformer):
    """What Jinja would compile and this house does not offer, or would compile wrongly."""

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:
        """Let what filters a block's text stand within it: Jinja finds no names there, and trusts what comes out."""
        if node.filter is not None:
            block = nodes.FilterBlock(node.body, node.filter, lineno=node.lineno, environment=node.environment)
            node.body, node.filter = [block], None
        return self.generic_visit(node)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        called = node.node
        if (
            isinstance(called, nodes.Getattr) and isinstance(called.node, nodes.Name) and called.node.name == "self"
        ) or (isinstance(called, nodes.Name) and called.name == "super"):
            self._visit_all([*node.args, *node.kwargs])
        else:
            self.generic_visit(node)
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:
        if node.name == "date" and isinstance(node.node, nodes.Const) and node.node.value in CLOCK_WORDS:
            raise _fault(node, NO_CLOCK)
        return self.generic_visit(node)

    def visit_Const(self, node: nodes.Const) -> nodes.Node:
        if isinstance(node.value, float) and not isfinite(node.value):
            raise _fault(node, "the number is too large")
        return node

    def visit_Name(self, node: nodes.Name) -> nodes.Node:
        if node.name in _CALLED_ONLY and node.ctx == "load":
            raise _fault(
                node, f"`{node.name}` can only be called, as in `{node.name}{'.name' * (node.name == 'self')}()`"
            )
        return node

    def visit_ScopedEvalContextModifier(self, node: nodes.Node) -> nodes.Node:
        raise _fault(node, "escaping cannot be switched")

    def _visit_all(self, children: Iterable[nodes.Node]) -> None:
        for child in children:
            self.visit(child)


def _fault(node: nodes.Node, message: str) -> SyntaxFault:
    return SyntaxFault(message, int(node.lineno or 1), column_of(node.lineno))
