"""Comparisons of Liquid with what stands in the template, as tests that its demands can tell."""

from collections.abc import Hashable

from liquid import BoundTemplate, RenderContext
from liquid.builtin.expressions import Nil, StringLiteral
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import FalseLiteral, FloatLiteral, IntegerLiteral, TrueLiteral
from liquid.exceptions import LiquidError
from liquid.expression import Expression

from tessera.renderer.core.quotients import Test

COMPARISONS = (
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LtExpression,
    NeExpression,
)
Comparison = (
    ContainsExpression | EqExpression | GeExpression | GtExpression | LeExpression | LtExpression | NeExpression
)
_VALUES = (StringLiteral, IntegerLiteral, FloatLiteral, TrueLiteral, FalseLiteral)


class _Given(Expression):
    """A value in the place of the expression that would give it."""

    __slots__ = ("value",)

    def __init__(self, like: Expression, value: object) -> None:
        super().__init__(like.token)
        self.value = value

    def evaluate(self, context: RenderContext) -> object:
        return self.value

    def __str__(self) -> str:
        return str(self.value)

    def children(self) -> list[Expression]:
        return []


def _is_constant(expression: Expression) -> bool:
    """Whether an expression is one plain value that stands in the template."""
    return isinstance(expression, (*_VALUES, Nil))


def comparison_test(comparison: Comparison, template: BoundTemplate) -> tuple[Expression, Test] | None:
    """Return what is compared with a constant, and the test that this is; None where two values are compared.

    The test is python-liquid's own comparison with another value in it.
    """
    left, right = comparison.left, comparison.right
    if _is_constant(left) == _is_constant(right):
        return None
    kind, token, context = type(comparison), comparison.token, RenderContext(template)
    tested, constant = (right, left) if _is_constant(left) else (left, right)

    def with_value(value: object) -> Expression:
        given = _Given(tested, value)
        return kind(token, left, given) if tested is right else kind(token, given, right)

    def ask(value: object) -> Hashable:
        try:
            return bool(with_value(value).evaluate(context))
        except (LiquidError, ArithmeticError, TypeError, ValueError) as failure:
            return type(failure).__name__

    return tested, Test(str(with_value("…")), ask, (constant.value,) if isinstance(constant, _VALUES) else ())
