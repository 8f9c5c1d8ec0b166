"""What Jinja templates can do to values: plain data only, each thing that could grow paid for.

Templates see dicts by their keys, lists by their indices and texts by a few methods; no other attribute of data
exists. Compiled code reads members of dicts itself and asks here for everything else.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from jinja2 import nodes
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, LoopContext, Macro, TemplateReference, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from tessera.renderer.engines.filter_arguments import FilterFault
from tessera.renderer.engines.jinja.runtime import MeteredContext, filtered, meter_of
from tessera.renderer.engines.meter import FILTER_STEPS, magnitude

MAX_POWER_BITS = 4096
_MAPPING_METHODS = frozenset({"get", "items", "keys", "values"})
_TEXT_METHODS = frozenset({"capitalize", "endswith", "lower", "split", "startswith", "strip", "title", "upper"})
_RUNTIME = (LoopContext, Macro, Namespace, TemplateModule, TemplateReference, Undefined, tuple)
"""Jinja's own objects, which its sandbox guards. Of all others only members are reachable: `datetime` has a `now()`."""


class Function:
    """A function or method that templates may call, and that prints the same in every process."""

    __slots__ = ("_call", "_name")

    def __init__(self, name: str, call: Callable[..., object]) -> None:
        self._name = name
        self._call = call

    def __call__(self, *values: object, **named: object) -> object:
        return self._call(*values, **named)

    def __repr__(self) -> str:
        return f"<function {self._name}>"


class ReticentNamespace(Namespace):
    """Jinja's namespace. What it holds it does not print: held within one another they would print without end."""

    def __repr__(self) -> str:
        return "<namespace>"


class HardenedEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox, made tighter."""

    intercepted_binops = frozenset(("+", "*", "**", "%"))
    context_class = MeteredContext

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict):
            if attribute in obj:
                return obj[attribute]
            if attribute in _MAPPING_METHODS:
                return self._method(obj, attribute)
        elif isinstance(obj, str):
            if attribute in _TEXT_METHODS:
                return self._method(obj, attribute)
        elif isinstance(obj, _RUNTIME):
            return super().getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(argument, str):
            return self.getattr(obj, str(argument))
        try:
            return obj[argument]
        except (TypeError, LookupError):
            return self.undefined(obj=obj, name=argument)

    def _method(self, obj: Any, name: str) -> Function:
        method = getattr(obj, name)
        listed = isinstance(obj, dict) and name != "get"
        return Function(name, (lambda: list(method())) if listed else method)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        meter = meter_of(context)
        meter.spend(FILTER_STEPS)
        if type(obj) is Macro:
            if obj.catch_varargs or obj.catch_kwargs:
                meter.measure([*args, *kwargs.values()])
            return obj(context.eval_ctx, *args, **kwargs)  # Its text was measured where it was joined.
        result = super().call(context, obj, *args, **kwargs)
        meter.measure(result)
        if isinstance(result, range):
            meter.pay(result)
        return result

    def call_filter(
        self,
        name: str,
        value: Any,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        context: Context | None = None,
        eval_ctx: nodes.EvalContext | None = None,
    ) -> Any:
        return filtered(super().call_filter(name, value, args, kwargs, context, eval_ctx), meter_of(context))

    def call_test(
        self,
        name: str,
        value: Any,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        context: Context | None = None,
        eval_ctx: nodes.EvalContext | None = None,
    ) -> Any:
        meter = meter_of(context)
        meter.spend()
        for each in (value, *(args or ())):
            meter.pay(each)
        return super().call_test(name, value, args, kwargs, context, eval_ctx)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        meter = meter_of(context)
        if operator == "%" and isinstance(left, str):
            raise FilterFault("texts are not formatted with `%`; write `~` between their parts")
        if operator in ("*", "+") and not (_is_number(left) and _is_number(right)):
            meter.afford(_repeated(left, right) if operator == "*" else _length(left) + _length(right))
        if operator == "**":
            if isinstance(left, Decimal) or isinstance(right, Decimal):
                raise FilterFault("decimals are not raised to a power")
            if isinstance(right, int) and magnitude(left) * abs(right) > MAX_POWER_BITS:
                raise FilterFault("a power would be too large")
        result = super().call_binop(context, operator, left, right)
        meter.glance(result)
        return result


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal)


def _length(value: object) -> int:
    return len(value) if isinstance(value, str) else 8 * len(value) if isinstance(value, list | tuple) else 0


def _repeated(left: object, right: object) -> int:
    return max(
        _length(left) * right if isinstance(right, int) else 0, _length(right) * left if isinstance(left, int) else 0
    )
