"""Rewrites Jinja's tree so that what it compiles to pays for its work and cannot make huge values.

Jinja compiles to plain Python: nothing is called for each node of a template, so nothing can be counted while it runs.
So the tree gets what counts: a toll at the head of every body, on every loop's sequence and on every comparison, and a
measure around whatever makes a value. All of them are filters whose names no template can spell. They take the
context, which also keeps Jinja from computing anything beneath them while it compiles: `{{ 9 ** (9 ** 9) }}` must not
hang there.
"""

from collections.abc import Iterable
from math import isfinite
from typing import TypeVar

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from tessera.renderer.engines.base import TOO_DEEP, SyntaxFault
from tessera.renderer.engines.filter_arguments import CLOCK_WORDS, NO_CLOCK
from tessera.renderer.engines.jinja.places import column_of
from tessera.renderer.engines.meter import STEP_BYTES

EACH = "each element"
FILTERED = "filtered value"
JOINED = "joined text"
MEASURED = "measured value"
PAID = "paid value"
TICK = "tick of work"

MAX_DEPTH = 100
MAX_NODES = 20_000
MAX_BRANCHED_NAMES = 50_000
_CALLED_ONLY = ("self", "super")
_BODIES = (nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block, nodes.Template)

B = TypeVar("B", nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block, nodes.Template)


def bound(tree: nodes.Template) -> nodes.Template:
    """Return a tree that may be compiled and run; the given one is used up. Raises SyntaxFault."""
    _check_size(tree)
    _Refusals().visit(tree)
    bounded = _Tolls().visit(tree)
    assert isinstance(bounded, nodes.Template)
    return bounded


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


class _Refusals(NodeTransformer):
    """What Jinja would compile and this house does not offer."""

    def __init__(self) -> None:
        self._collecting = 0

    def _collected(self, node: nodes.Node) -> nodes.Node:
        """Go through a body whose text jinja2 collects instead of writing it."""
        self._collecting += 1
        self.generic_visit(node)
        self._collecting -= 1
        return node

    visit_AssignBlock = visit_CallBlock = visit_FilterBlock = visit_Macro = _collected

    def visit_For(self, node: nodes.For) -> nodes.Node:
        return self._collected(node) if node.recursive else self.generic_visit(node)

    def visit_Include(self, node: nodes.Include) -> nodes.Node:
        if self._collecting and not node.with_context:
            # jinja2 compiles this to a generator, which then prints its address.
            raise _fault(node, "`include … without context` cannot stand within a macro, or where text is collected")
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


class _Tolls(NodeTransformer):
    """Puts the filters in, innermost first."""

    def visit_Template(self, node: nodes.Template) -> nodes.Node:
        return self._with_toll(node)

    def visit_Block(self, node: nodes.Block) -> nodes.Node:
        return self._with_toll(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:
        return self._with_toll(node)

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:
        return self._with_toll(node)

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self._with_toll(node)
        node.iter = _filtered(node.iter, EACH)
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:
        self.generic_visit(node)
        return _filtered(node, FILTERED)

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:
        self.generic_visit(node)
        if node.filter is None:
            node.filter = _filtered(None, MEASURED, node)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno, environment=node.environment)
        return _filtered(parts, JOINED)

    def visit_List(self, node: nodes.List) -> nodes.Node:
        self.generic_visit(node)
        return _filtered(node, MEASURED)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        return _filtered(node, MEASURED) if node.ctx == "load" else node

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        self.generic_visit(node)
        return _filtered(node, MEASURED)

    def visit_Test(self, node: nodes.Test) -> nodes.Node:
        self.generic_visit(node)
        if node.args:
            node.node = _paid(node.node)
            node.args = [_paid(argument) for argument in node.args]
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        node.expr = _paid(node.expr)
        for operand in node.ops:
            operand.expr = _paid(operand.expr)
        return node

    def _as_is(self, node: nodes.Node) -> nodes.Node:
        """Leave what names other templates: of a list written there, Jinja takes the first that exists."""
        return node

    visit_Extends = visit_FromImport = visit_Import = visit_Include = _as_is

    def _with_toll(self, node: B) -> B:
        toll = nodes.Const(_weight(node.body), lineno=node.lineno, environment=node.environment)
        self.generic_visit(node)
        head = nodes.ExprStmt(_filtered(toll, TICK), lineno=node.lineno, environment=node.environment)
        node.body.insert(0, head)
        return node


def _weight(body: Iterable[nodes.Node]) -> int:
    """Return the steps that one run of a body takes, without the bodies within it."""
    steps = 1
    for node in body:
        steps += 1
        if isinstance(node, nodes.TemplateData):
            steps += len(node.data) // STEP_BYTES
        exclude = ("body",) if isinstance(node, _BODIES) else ()
        steps += _weight(node.iter_child_nodes(exclude=exclude)) - 1
    return steps


def _paid(node: nodes.Expr) -> nodes.Expr:
    return node if isinstance(node, nodes.Const) else _filtered(node, PAID)


def _filtered(node: nodes.Node | None, name: str, like: nodes.Node | None = None) -> nodes.Filter:
    origin = node or like
    assert origin is not None
    return nodes.Filter(node, name, [], [], None, None, lineno=origin.lineno, environment=origin.environment)


def _fault(node: nodes.Node, message: str) -> SyntaxFault:
    return SyntaxFault(message, int(node.lineno or 1), column_of(node.lineno))
