"""`empty` and `blank` are empty text, except where something is compared with them.

So they are in Liquid (`Liquid::Expression::LITERALS`; only `Liquid::Condition` knows more of them). In python-liquid
they are objects of the parser, which filters and macros hand on, and which a list prints with their address in memory.
"""

from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, StringLiteral
from liquid.builtin.expressions.primitive import Blank, Empty
from liquid.expression import Expression
from liquid.extra.tags.macro_tag import CallNode, MacroNode


def read_as_text(expression: FilteredExpression) -> None:
    """Read `empty` and `blank` as texts where they are assigned, written or handed to filters."""
    expression.left = _text(expression.left)


def read_arguments_as_text(node: Node) -> None:
    """Read `empty` and `blank` as texts where macros are handed them."""
    if isinstance(node, CallNode):
        for given in node.args:
            given.value = _text(given.value)
        for named in node.kwargs:
            named.value = _text(named.value)
    elif isinstance(node, MacroNode):
        for parameter in node.args.values():
            parameter.value = parameter.value and _text(parameter.value)


def _text(expression: Expression) -> Expression:
    return StringLiteral(expression.token, "") if isinstance(expression, Blank | Empty) else expression
