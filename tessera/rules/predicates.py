"""Conditions that do not look at the clock → one Python function each: the fast way past rules that do not match.

A predicate is called with the facts' `get` and says whether the condition is certainly true; a condition that is false
or unknown is not. Certainty needs no third value: `a and b` is certainly true where both are, and certainly false where
either is, so a condition becomes a plain Boolean expression. It is built as `ast` nodes, and all that authors wrote
reaches it as a constant, never as text.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tessera.rules.conditions import AllOf, AnyOf, Constant, Expr, Not, Pattern, Test, Use, is_timed
from tessera.rules.facts import Fact
from tessera.rules.operators import ignoring_case

Predicate = Callable[[Callable[..., Any]], bool]

MAX_TESTS = 200
"""How many tests one predicate may hold; a larger condition is left to its closures."""


def compile_predicate(expr: Expr, computed: Mapping[str, Expr]) -> Predicate | None:
    """The predicate of a condition; None for one that looks at the clock, compares facts, or is very large.

    `computed` has the conditions behind computed facts and segments, which are written out.
    """
    if is_timed(expr, computed):
        return None
    builder = _Builder(computed)
    try:
        body = builder.certainly(expr, True)
    except _NotHere:
        return None
    arguments = ast.arguments(posonlyargs=[], args=[ast.arg("get")], kwonlyargs=[], kw_defaults=[], defaults=[])
    tree = ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, body)))
    predicate: Predicate = eval(compile(tree, "<condition>", "eval"), builder.constants)
    return predicate


class _NotHere(Exception):
    """A condition holds something that predicates do not do."""


class _Builder:
    """Builds the expression of one predicate, and collects the constants that it names."""

    def __init__(self, computed: Mapping[str, Expr]) -> None:
        self.constants: dict[str, Any] = {}
        self._computed = computed
        self._tests = 0

    def certainly(self, expr: Expr, truth: bool) -> ast.expr:
        """An expression that is true exactly where the condition is certainly `truth`."""
        match expr:
            case Constant(value):
                return ast.Constant(value is truth)
            case Test():
                return self._test(expr, truth)
            case Use(_, body):
                return self.certainly(body, truth)
            case Not(part):
                return self.certainly(part, not truth)
            case AllOf(parts):
                return self._junction(ast.And() if truth else ast.Or(), parts, truth)
            case AnyOf(parts):
                return self._junction(ast.Or() if truth else ast.And(), parts, truth)

    def _junction(self, operator: ast.boolop, parts: Sequence[Expr], truth: bool) -> ast.expr:
        return ast.BoolOp(operator, [self.certainly(part, truth) for part in parts])

    def _test(self, test: Test, truth: bool) -> ast.expr:
        self._tests += 1
        operand = test.operand
        if test.fact.name in self._computed:
            if test.operator.words != "==" or not isinstance(operand, bool):
                raise _NotHere
            return self.certainly(self._computed[test.fact.name], truth is operand)
        singles = operand if isinstance(operand, tuple) else (operand,)
        if self._tests > MAX_TESTS or any(isinstance(each, Fact) for each in singles):
            raise _NotHere
        value = self._get(test.fact)
        check: Callable[[Any, Any], bool] = test.operator.check
        if test.operator.sees_unknown:
            return _negated(self._called(check, value, None), not truth)
        if test.operator.words == "==" and truth and not test.ignoring_case:
            return ast.Compare(value, [ast.Eq()], [self._constant(operand)])
        if isinstance(operand, Pattern):
            operand = operand.compiled
        elif test.ignoring_case:
            check = ignoring_case(check)
        known = ast.Compare(ast.NamedExpr(_stored("value"), value), [ast.IsNot()], [ast.Constant(None)])
        return ast.BoolOp(ast.And(), [known, _negated(self._called(check, _named("value"), operand), not truth)])

    def _get(self, fact: Fact) -> ast.expr:
        default = [] if fact.default is None else [self._constant(fact.default)]
        return ast.Call(_named("get"), [ast.Constant(fact.name), *default], [])

    def _called(self, check: Callable[[Any, Any], bool], value: ast.expr, operand: object) -> ast.expr:
        return ast.Call(self._constant(check), [value, self._constant(operand)], [])

    def _constant(self, value: object) -> ast.expr:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return _named(name)


def _named(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _stored(name: str) -> ast.Name:
    return ast.Name(name, ast.Store())


def _negated(expr: ast.expr, negate: bool) -> ast.expr:
    return ast.UnaryOp(ast.Not(), expr) if negate else expr
