"""Comparisons of Jinja with what stands in the template, as tests that its demands can tell."""

import operator
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from tessera.renderer.core.quotients import Test

_OPERATORS: Mapping[str, tuple[str, Callable[[Any, Any], object]]] = {
    "eq": ("==", operator.eq),
    "gt": (">", operator.gt),
    "gteq": (">=", operator.ge),
    "in": ("in", lambda left, right: left in right),
    "lt": ("<", operator.lt),
    "lteq": ("<=", operator.le),
    "ne": ("!=", operator.ne),
    "notin": ("not in", lambda left, right: left not in right),
}
"""What Jinja's compiler makes of its comparisons: Python's own."""


@dataclass(frozen=True, slots=True)
class _Constant:
    value: object


def comparison_test(left: nodes.Expr, kind: str, right: nodes.Expr) -> tuple[nodes.Expr, Test] | None:
    """Return what is compared with a constant, and the test that this is; None where two values are compared."""
    first, second = _constant(left), _constant(right)
    if kind not in _OPERATORS or (first is None) == (second is None):
        return None
    words, compare = _OPERATORS[kind]
    if second is not None:
        constant = second.value
        return left, Test(f"… {words} {constant!r}", _asking(lambda value: compare(value, constant)), (constant,))
    assert first is not None
    constant = first.value
    return right, Test(f"{constant!r} {words} …", _asking(lambda value: compare(constant, value)), (constant,))


def _asking(compare: Callable[[object], object]) -> Callable[[object], Hashable]:
    def ask(value: object) -> Hashable:
        try:
            return bool(compare(value))
        except (ArithmeticError, TypeError, ValueError) as failure:
            return type(failure).__name__

    return ask


def _constant(node: nodes.Expr | None) -> _Constant | None:
    """Return the plain value that is written out in a template, None where an expression is something else.

    Computes nothing but signs: `9 ** 9 ** 9` is no constant here.
    """
    if isinstance(node, nodes.Const):
        return _Constant(node.value)
    if isinstance(node, nodes.Neg):
        number = getattr(_constant(node.node), "value", None)
        return _Constant(-number) if isinstance(number, int | float) else None
    if isinstance(node, nodes.List | nodes.Tuple):
        items = [_constant(item) for item in node.items]
        known = tuple(item.value for item in items if item is not None)
        return _Constant(known if isinstance(node, nodes.Tuple) else list(known)) if len(known) == len(items) else None
    return None
