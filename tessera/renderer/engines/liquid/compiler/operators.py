"""python-liquid's own operators, loops, filters and look-ups as functions of values that compiled code worked out."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from liquid import RenderContext, Token
from liquid.builtin.expressions import LoopExpression, StringLiteral
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.logical import (
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LtExpression,
    NeExpression,
)
from liquid.exceptions import FilterArgumentError, LiquidTypeError
from liquid.expression import Expression

from tessera.renderer.engines.liquid.compiler.runtime import Run, pay_for_list
from tessera.renderer.engines.meter import STEP_BYTES

if TYPE_CHECKING:
    from tessera.renderer.engines.liquid.environment import LiquidEnvironment

SEQUENCES = (range, list)
FAST: Mapping[type[Expression], Callable[[Any, Any], bool]] = {
    EqExpression: operator.eq,
    NeExpression: operator.ne,
    LtExpression: operator.lt,
    GtExpression: operator.gt,
    LeExpression: operator.le,
    GeExpression: operator.ge,
}


class Given(Expression):
    """An expression that was evaluated already: compiled code hands operands so to python-liquid's own operators."""

    __slots__ = ("_text", "_value")

    def __init__(self, token: Token, value: object, text: str = "") -> None:
        super().__init__(token)
        self._value = value
        self._text = text

    def __str__(self) -> str:
        return self._text

    def evaluate(self, context: RenderContext) -> object:
        return self._value

    def children(self) -> list[Expression]:
        return []


def comparison(expression: Expression) -> Callable[[Run, Any, Any], object]:
    """Return a comparison as a function of its operands. Two texts or two whole numbers are compared at once."""
    kind, token = type(expression), expression.token
    fast = FAST.get(kind)

    def compare(run: Run, left: Any, right: Any) -> object:
        if fast is not None and type(left) is type(right) and (type(left) is str or type(left) is int):
            return fast(left, right)
        operands = Given(token, pay_for_list(run, left)), Given(token, pay_for_list(run, right))
        return kind(token, *operands).evaluate(run)  # type: ignore[call-arg,arg-type]

    return compare


def range_of(expression: Expression) -> Callable[[Run, object, object], object]:
    """Return a range literal as a function of its ends."""
    kind, token = type(expression), expression.token

    def make(run: Run, start: object, stop: object) -> object:
        made = kind(token, Given(token, start), Given(token, stop))  # type: ignore[call-arg]
        return made.evaluate(run)  # type: ignore[arg-type]

    return make


def sequence_of(loop: LoopExpression) -> Callable[..., tuple[Iterator[object], int]]:
    """Return what a loop goes through as a function of its list, limit and offset: the elements and their number."""
    kind, token, text = type(loop), loop.token, str(loop.iterable)

    def sequence(run: Run, value: object, limit: object, offset: object) -> tuple[Iterator[object], int]:
        made = kind(
            token,
            loop.identifier,
            Given(token, value, text),
            limit=Given(loop.limit.token, limit) if loop.limit else None,
            offset=_offset(loop.offset, offset),
            reversed_=loop.reversed,
            cols=None,
        )
        elements, length = made.evaluate(run)  # type: ignore[arg-type]
        run.meter.spend(2 * length if type(value) is list else length)
        return elements, length

    return sequence


def _offset(expression: Expression | None, value: object) -> Expression | None:
    if expression is None or isinstance(expression, StringLiteral):
        return expression
    return Given(expression.token, value)


def bound_filter(env: LiquidEnvironment, filter_: Filter) -> Callable[..., object]:
    """Return a filter as python-liquid applies it, within the budget; its steps are paid by whoever calls it."""
    function, name, token = env.filters[filter_.name], filter_.name, filter_.token
    fixed: dict[str, object] = {"environment": env} if getattr(function, "with_environment", False) else {}
    in_context = getattr(function, "with_context", False)

    def apply(run: Run, left: object, /, *values: object, **named: object) -> object:
        if type(left) is not str and isinstance(left, SEQUENCES):
            run.meter.spend(2 * len(left) if type(left) is list else len(left))
        if fixed:
            named |= fixed
        if in_context:
            named.setdefault("context", run)
        try:
            result = function(left, *values, **named)
        except TypeError as error:
            raise LiquidTypeError(f"{name}: {error}", token=token) from error
        except (LiquidTypeError, FilterArgumentError) as error:
            error.token = token
            raise
        except (ArithmeticError, LookupError, ValueError) as error:
            raise FilterArgumentError(str(error), token=token) from error
        if type(result) is not str or len(result) >= STEP_BYTES:
            run.meter.glance(result)
        return result

    return apply


def member_of(context: RenderContext) -> Callable[[object, object, object], object]:
    """Return python-liquid's look-up of a member, which gives the third argument where there is none."""
    get_item = context.get_item

    def member(value: object, name: object, missing: object) -> object:
        try:
            return get_item(value, name)
        except (LookupError, TypeError):
            return missing

    return member
