"""Nothing and false are blank: `{% if visitor.name == blank %}` holds for a visitor without a name.

Liquid asks a value whether it is `blank?`: so are nil, false, and empty or white texts, lists and objects
(`Liquid::Condition#equal_variables`, and `blank?` of ActiveSupport, which Shopify has). python-liquid compares with
empty things only. A comparison with `blank` is rewritten when it is parsed: `a == blank or not a`.
"""

from liquid.builtin.expressions import BooleanExpression
from liquid.builtin.expressions.logical import (
    EqExpression,
    LogicalAndExpression,
    LogicalNotExpression,
    LogicalOrExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import Blank, Empty
from liquid.expression import Expression


def ask_for_blank(condition: BooleanExpression) -> None:
    """Rewrite the comparisons with `blank` in a condition."""
    condition.expression = _rewritten(condition.expression)


def _rewritten(expression: Expression) -> Expression:
    if isinstance(expression, LogicalAndExpression | LogicalOrExpression):
        expression.left = _rewritten(expression.left)
        expression.right = _rewritten(expression.right)
    elif isinstance(expression, EqExpression | NeExpression):
        value = _compared_with_blank(expression)
        if value is not None and isinstance(expression, EqExpression):
            return LogicalOrExpression(expression.token, expression, LogicalNotExpression(value.token, value))
        if value is not None:
            return LogicalAndExpression(expression.token, expression, value)
    return expression


def _compared_with_blank(expression: EqExpression | NeExpression) -> Expression | None:
    for blank, value in ((expression.left, expression.right), (expression.right, expression.left)):
        if isinstance(blank, Blank) and not isinstance(value, Blank | Empty):
            return value
    return None
