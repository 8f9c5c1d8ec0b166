"""What compiled templates call while they run: python-liquid's own ways, behind their fast ones."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

from liquid import BoundTemplate, RenderContext, Token
from liquid.ast import Node
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
from liquid.exceptions import (
    BreakLoop,
    ContinueLoop,
    FilterArgumentError,
    LiquidTypeError,
)
from liquid.expression import Expression
from liquid.output import NullIO
from liquid.stringify import to_liquid_string
from liquid.undefined import Undefined, is_undefined
from liquid.utils import ReadOnlyChainMap
from markupsafe import Markup

from tessera.renderer.engines.meter import STEP_BYTES, Meter

if TYPE_CHECKING:
    from tessera.renderer.engines.liquid.environment import LiquidEnvironment

Append = Callable[[str], None]
SEQUENCES = (range, list)
FAST: Mapping[type[Expression], Callable[[Any, Any], bool]] = {
    EqExpression: operator.eq,
    NeExpression: operator.ne,
    LtExpression: operator.lt,
    GtExpression: operator.gt,
    LeExpression: operator.le,
    GeExpression: operator.ge,
}


class Run:
    """One render of a template, or of a partial that sees only what it is handed; what filters take for a context.

    `context` is python-liquid's own. It is made only for templates that leave something to it: tags without a compiled
    form, and what tags such as `cycle` remember.
    """

    __slots__ = ("autoescape", "context", "env", "meter", "room")

    def __init__(self, env: LiquidEnvironment, meter: Meter) -> None:
        self.env = env
        self.meter = meter
        self.autoescape = True
        self.room = meter.limits.output_bytes
        self.context: RenderContext | None = None

    def begin(self, template: BoundTemplate, inputs: Mapping[str, object]) -> RenderContext:
        """Make python-liquid's context, which shares the budget."""
        context = template.context_class(template, globals=inputs)
        context.meter = self.meter  # type: ignore[attr-defined]
        context.scope.push({"partial": False})
        self.context = context
        return context

    def isolated(self, template: BoundTemplate, handed: Mapping[str, object]) -> Run:
        """Return a run for a partial that sees only what it is handed, and the inputs."""
        assert self.context is not None
        run = Run(self.env, self.meter)
        run.room = self.room
        run.context = self.context.copy(
            ReadOnlyChainMap(handed), disabled_tags=["include"], carry_loop_iterations=True, template=template
        )
        run.context.scope.push({"partial": True})
        return run

    def stopindex(self, key: str, index: int | None = None) -> int:
        """Remember where a loop stopped, where any `offset: continue` could ask for it."""
        return 0 if self.context is None else self.context.stopindex(key, index)

    def interpret(self, node: Node, append: Append | None, pushed: Mapping[str, object]) -> None:
        """Have python-liquid render a node that has no compiled form, within what is in scope around it."""
        context = self.context
        assert context is not None
        context.scope.push(pushed)
        try:
            node.render(context, NullIO() if append is None else _Sink(self, append))
        finally:
            context.scope.pop()

    def wrote(self, text: str) -> str:
        """Pay for a text of some length that is about to be written, while there is room for it."""
        size = len(text)
        self.room -= size
        if self.room < 0:
            raise self.meter.fail("the output is larger than the limit")
        self.meter.spend(size // STEP_BYTES)
        return text

    def captured(self, parts: list[str], room: int) -> str:
        """Return the text that was collected, which is a value that the template made; `room` is what there was."""
        self.room = room
        if sum(map(len, parts)) > self.meter.limits.value_bytes:
            raise self.meter.fail("the output is larger than the limit")
        return "".join(parts)


class _Sink(StringIO):
    """Where python-liquid writes what it renders for a compiled template."""

    def __init__(self, run: Run, append: Append) -> None:
        super().__init__()
        self._run = run
        self._append = append

    def write(self, text: str) -> int:
        self._append(self._run.wrote(text))
        return len(text)


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


def pay_for_list(run: Run, value: object) -> object:
    """Pay for a list wherever it is looked up."""
    if type(value) is list:
        run.meter.spend(len(value))
    return value


def text_of(value: object) -> str:
    """Return how a value is written, escaped."""
    kind = type(value)
    if kind is int or kind is float or kind is Markup:
        return str(value)
    if value is None or kind is Undefined:
        return ""
    return str(to_liquid_string(value, autoescape=True))


def paid_text_of(run: Run, value: object) -> str:
    """Return how a value is written, escaped; a list is paid for."""
    if type(value) is list:
        run.meter.spend(len(value))
    return text_of(value)


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


def cycled(run: Run, group: object, named: bool, values: list[object]) -> str:
    """Return what a `cycle` writes this time."""
    context = run.context
    assert context is not None
    name = ("__UNDEFINED" if is_undefined(group) else str(group)) if named else ""
    index = context.cycle(name or str(values), len(values))
    return text_of(values[index]) if index < len(values) else ""


def leave_loop() -> None:
    """Leave the loop that a partial stands in."""
    raise BreakLoop("break")


def leave_round() -> None:
    """Leave this round of the loop that a partial stands in."""
    raise ContinueLoop("continue")


def member_of(context: RenderContext) -> Callable[[object, object, object], object]:
    """Return python-liquid's look-up of a member, which gives the third argument where there is none."""
    get_item = context.get_item

    def member(value: object, name: object, missing: object) -> object:
        try:
            return get_item(value, name)
        except (LookupError, TypeError):
            return missing

    return member
