"""The messages of a Jinja template."""

from collections.abc import Iterator

from jinja2 import nodes

from tessera.renderer.engines.jinja.places import node_span
from tessera.renderer.engines.messages import MessageUse


def jinja_messages(tree: nodes.Template, file: str) -> Iterator[MessageUse]:
    """Find every use of `t`."""
    for node in tree.find_all(nodes.Filter):
        if node.name != "t":
            continue
        named = {str(pair.key): pair.value for pair in node.kwargs}
        plural = next(_texts(named.get("plural")), None)
        shown = node.dyn_args is None and node.dyn_kwargs is None
        handed = frozenset(named) if shown else None
        for message in (*_texts(node.node),) or (None,):
            yield MessageUse(message, plural, bool(node.args) or not shown, handed, node_span(file, node))


def _texts(node: nodes.Expr | None) -> Iterator[str]:
    """Find the texts that an expression may be, where they are written in the template."""
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, nodes.CondExpr):
        yield from _texts(node.expr1)
        yield from _texts(node.expr2)
