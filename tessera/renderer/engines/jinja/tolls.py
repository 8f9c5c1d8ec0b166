"""What each part of a Jinja template pays when it runs, decided when it is compiled.

Bodies pay for their tags and outputs at their head; values that could be large pay by what they turn out to be. What a
constant costs is known from the text and paid for with the body that it stands in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jinja2 import nodes

from tessera.renderer.engines.meter import STEP_BYTES

_BODIES = (nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block, nodes.Template)
_TAKING_IN = (nodes.Extends, nodes.FromImport, nodes.Import, nodes.Include)
_NEVER_TEXT = (nodes.Sub, nodes.Div, nodes.FloorDiv, nodes.Pow, nodes.Neg, nodes.Pos, nodes.Not)


@dataclass(frozen=True, slots=True)
class Tolls:
    """What is paid, by the identity of lists of statements and of nodes of a tree that is kept while this is used.

    `bodies` has the steps of one run. `values` has the functions of `runtime` that a value goes through, outermost
    first.
    """

    bodies: Mapping[int, int]
    values: Mapping[int, list[str]]


def tolls(tree: nodes.Template) -> Tolls:
    """Return what a template pays."""
    bodies: dict[int, int] = {}
    values: dict[int, list[str]] = {}
    _note(tree, bodies, values)
    return Tolls(bodies, values)


def is_number(node: nodes.Expr) -> bool:
    """Whether an expression can be no text and no list, so that what is added to it cannot be one either."""
    if isinstance(node, nodes.Const):
        return isinstance(node.value, int | float)
    if isinstance(node, nodes.Add):
        return is_number(node.left) or is_number(node.right)
    return isinstance(node, _NEVER_TEXT)


def _note(node: nodes.Node, bodies: dict[int, int], values: dict[int, list[str]]) -> None:
    def pay(payer: nodes.Node, function: str) -> None:
        values.setdefault(id(payer), []).append(function)

    if isinstance(node, _TAKING_IN):
        return  # Names of templates: of a list written there, Jinja takes the first that exists.
    if isinstance(node, _BODIES):
        bodies[id(node.body)] = _weight(node.body)
    if isinstance(node, nodes.For):
        pay(node.iter, "each")
    elif isinstance(node, nodes.FilterBlock):
        pay(node.filter, "written")
    elif isinstance(node, nodes.Filter):
        pay(node, "filtered")
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        pay(node, "glanced")
    elif isinstance(node, nodes.List | nodes.Dict) or (isinstance(node, nodes.Tuple) and node.ctx == "load"):
        if not _is_constant(node):
            pay(node, "measured")
    elif isinstance(node, nodes.Compare | nodes.Test):
        for operand in _looked_through(node):
            pay(operand, "paid")
    for child in node.iter_child_nodes():
        _note(child, bodies, values)


def _looked_through(node: nodes.Compare | nodes.Test) -> list[nodes.Expr]:
    """Return the operands that may be large. Beside a short constant none is looked through, unless searched."""
    if isinstance(node, nodes.Test):
        operands = [node.node, *(node.args or ())] if node.args else []
    else:
        operands = [node.expr, *(operand.expr for operand in node.ops)]
        searched = any(operand.op in ("in", "notin") for operand in node.ops)
        if len(operands) == 2 and not searched and any(_is_short(operand) for operand in operands):
            return []
    return [operand for operand in operands if not _is_constant(operand)]


def _is_short(node: nodes.Expr) -> bool:
    return isinstance(node, nodes.Const) and not (isinstance(node.value, str) and len(node.value) >= STEP_BYTES)


def _is_constant(node: nodes.Node) -> bool:
    if isinstance(node, nodes.List | nodes.Tuple | nodes.Dict | nodes.Pair):
        return all(_is_constant(child) for child in node.iter_child_nodes())
    return isinstance(node, nodes.Const)


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
