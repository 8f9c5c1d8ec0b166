"""Reading Jinja's tree: which templates it takes in."""

from collections.abc import Iterator

from jinja2 import nodes

from tessera.renderer.engines.base import Reference
from tessera.renderer.engines.jinja.places import node_span


def named_templates(expression: nodes.Expr) -> list[str] | None:
    """Return the templates that an expression may name, or None where only the data decides."""
    if isinstance(expression, nodes.Const):
        return [expression.value] if isinstance(expression.value, str) else None
    if isinstance(expression, nodes.List | nodes.Tuple):
        inner = [named_templates(item) for item in expression.items]
        return None if None in inner else [name for names in inner if names for name in names]
    if isinstance(expression, nodes.CondExpr) and expression.expr2 is not None:
        one, other = named_templates(expression.expr1), named_templates(expression.expr2)
        return None if one is None or other is None else one + other
    return None


def jinja_references(tree: nodes.Template, file: str) -> tuple[Reference, ...]:
    """Return the places where a template takes in others."""
    return tuple(_references(tree, file))


def _references(tree: nodes.Template, file: str) -> Iterator[Reference]:
    for node in tree.find_all(nodes.Stmt):
        if not isinstance(node, nodes.Extends | nodes.FromImport | nodes.Import | nodes.Include):
            continue
        tag, span = type(node).__name__.lower(), node_span(file, node.template)
        names = named_templates(node.template)
        if names is None:
            yield Reference(tag, None, span)
            continue
        # Of a list of names the first that is there is taken, so none of them has to be.
        ignored = isinstance(node, nodes.Include) and node.ignore_missing
        optional = ignored or isinstance(node.template, nodes.List | nodes.Tuple)
        for name in names:
            yield Reference(tag, name, span, optional)
