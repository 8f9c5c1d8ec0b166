"""Conditions that nobody can satisfy: where they contradict themselves."""

from collections.abc import Iterator, Mapping

from tessera.rules.conditions import AllOf, Constant, Expr, Test, Use, parts_of, phrase
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.proof.axes import Axes
from tessera.rules.proof.ways import Condition, TooMany
from tessera.rules.ruleset import Ruleset
from tessera.rules.source import Span


def never_true(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Segments and computed facts whose conditions contradict themselves."""
    for name, expr in ruleset.computed.items():
        if not isinstance(expr, Constant) and _is_never(expr, ruleset.computed, lenient=False):
            yield contradicted(f"`{name}` is never true", expr, ruleset.computed, lenient=False)


def _is_never(expr: Expr, computed: Mapping[str, Expr], lenient: bool) -> bool:
    try:
        return not Condition(Axes([expr], computed), computed).ways(expr, lenient=lenient)
    except TooMany:
        return False


def contradicted(message: str, expr: Expr, computed: Mapping[str, Expr], lenient: bool) -> Diagnostic:
    """The complaint about a condition that is never satisfied: at the part that never is, or at one of two."""
    parts = _conjuncts(expr)
    for number, part in enumerate(parts):
        if _is_never(part, computed, lenient):
            return Diagnostic("R501", "warning", message, _place(part), "nobody is like that")
        for earlier in parts[:number]:
            if _is_never(AllOf((earlier, part)), computed, lenient):
                label = f"never true together with `{phrase(earlier)}`"
                return Diagnostic("R501", "warning", message, _place(part), label)
    return Diagnostic("R501", "warning", message, _place(expr), "nobody is like all of that")


def _conjuncts(expr: Expr) -> list[Expr]:
    if isinstance(expr, AllOf):
        return [each for part in expr.parts for each in _conjuncts(part)]
    return [expr]


def _place(expr: Expr) -> Span:
    """Where a condition begins to stand."""
    if isinstance(expr, Test | Use | Constant):
        return expr.span
    return _place(parts_of(expr)[0])
