"""Expressions: literals, paths, filters, comparisons. Each function returns Python's expression for one of Liquid's."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from liquid.builtin.expressions import (
    BooleanExpression,
    FilteredExpression,
    KeywordArgument,
    Nil,
    Path,
    StringLiteral,
)
from liquid.builtin.expressions.filtered import Filter, TernaryFilteredExpression
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalNotExpression,
    LogicalOrExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import (
    Blank,
    Empty,
    FalseLiteral,
    FloatLiteral,
    IntegerLiteral,
    RangeLiteral,
    TrueLiteral,
)
from liquid.expression import Expression
from markupsafe import Markup

from tessera.renderer.engines.liquid.compiler.operators import bound_filter, comparison, range_of
from tessera.renderer.engines.liquid.compiler.runtime import pay_for_list
from tessera.renderer.engines.liquid.compiler.shapes import Loop, NeedsLoops, Uncompiled
from tessera.renderer.engines.liquid.compiler.syntax import (
    both,
    call,
    choose,
    compare,
    const,
    is_type,
    keep,
    load,
    locate,
    mapping,
    reading,
)
from tessera.renderer.engines.liquid.compiler.writer import Writer
from tessera.renderer.engines.meter import FILTER_STEPS

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_DEPTH = 40
"""Expressions within one another. Deeper ones, which nobody writes, are left to python-liquid."""
MAX_MEMBERS = 12
"""Members of a path that each have a fast way."""
LITERALS = (TrueLiteral, FalseLiteral, IntegerLiteral, FloatLiteral)
COMPARISONS: dict[type[Expression], type[ast.cmpop]] = {
    EqExpression: ast.Eq,
    NeExpression: ast.NotEq,
    LtExpression: ast.Lt,
    GtExpression: ast.Gt,
    LeExpression: ast.LtE,
    GeExpression: ast.GtE,
}
VALUES = (Path, FilteredExpression, StringLiteral, IntegerLiteral, FloatLiteral, Nil, Empty, Blank)
EQUALITY = (EqExpression, NeExpression)


def value(writer: Writer, expression: Expression, depth: int = 0) -> ast.expr:
    """Return an expression for a value; raises Uncompiled where there is none."""
    if depth > MAX_DEPTH:
        raise Uncompiled
    kind = type(expression)
    if kind is Path:
        assert isinstance(expression, Path)
        return _path(writer, expression, depth)
    if kind is FilteredExpression:
        assert isinstance(expression, FilteredExpression)
        left = value(writer, expression.left, depth + 1)
        return _filtered(writer, left, expression.filters or (), depth)
    if isinstance(expression, LITERALS):
        return const(expression.value)
    if kind is StringLiteral:
        assert isinstance(expression, StringLiteral)
        return writer.constant(Markup(expression.value))
    if kind is Nil:
        return const(None)
    if kind in (Empty, Blank):
        return writer.constant(expression)
    if isinstance(expression, RangeLiteral):
        ends = value(writer, expression.start, depth + 1), value(writer, expression.stop, depth + 1)
        return call(writer.constant(range_of(expression)), load("run"), *ends)
    if kind is TernaryFilteredExpression:
        assert isinstance(expression, TernaryFilteredExpression)
        return _ternary(writer, expression, depth)
    return truth(writer, expression, depth)


def paid_value(writer: Writer, expression: Expression) -> ast.expr:
    """Return an expression for a value that is kept or handed on: a list that is looked up is paid for."""
    found = value(writer, expression)
    if isinstance(expression, FilteredExpression) and not expression.filters:
        expression = expression.left
    if type(expression) is not Path:
        return found
    first, again = _twice(writer, found)
    pay = call(writer.constant(pay_for_list), load("run"), again)
    return choose(is_type(first, "list"), pay, reading(again))


def truth(writer: Writer, expression: Expression, depth: int = 0) -> ast.expr:
    """Return an expression that is true or false, as a condition takes a value; raises Uncompiled."""
    if depth > MAX_DEPTH:
        raise Uncompiled
    kind = type(expression)
    if isinstance(expression, BooleanExpression):
        return truth(writer, expression.expression, depth + 1)
    if isinstance(expression, LogicalAndExpression | LogicalOrExpression):
        sides = [truth(writer, expression.left, depth + 1), truth(writer, expression.right, depth + 1)]
        return ast.BoolOp(ast.And() if kind is LogicalAndExpression else ast.Or(), sides)
    if isinstance(expression, LogicalNotExpression):
        return ast.UnaryOp(ast.Not(), truth(writer, expression.right, depth + 1))
    if kind in COMPARISONS:
        return _comparison(writer, expression, depth)
    if kind is ContainsExpression:
        assert isinstance(expression, ContainsExpression)
        return _contains(writer, expression, depth)
    if isinstance(expression, TrueLiteral | FalseLiteral):
        return const(expression.value)
    if kind not in VALUES and not isinstance(expression, RangeLiteral):
        raise Uncompiled
    found = value(writer, expression, depth)
    if isinstance(found, ast.Constant):
        return const(found.value is not None and found.value is not False)
    if isinstance(found, ast.Compare):  # A field of a loop: already true or false, or a number.
        return found
    first, again = _twice(writer, found)
    present = [compare(first, ast.IsNot(), const(None)), compare(reading(again), ast.IsNot(), const(False))]
    kind_of = compare(call("type", reading(again)), ast.IsNot(), load("Undefined"))
    return both(*present, kind_of)


def _twice(writer: Writer, found: ast.expr) -> tuple[ast.expr, ast.Name]:
    """Return a value for its first use, and the name that it has for all others."""
    if isinstance(found, ast.Name):
        return found, load(found.id)
    name = writer.variable()
    return keep(name, found), load(name)


def _path(writer: Writer, path: Path, depth: int) -> ast.expr:
    root, *members = path.path
    if not isinstance(root, str):
        raise Uncompiled  # Which name is read is known by python-liquid's context only.
    bound = writer.look_up(root)
    if isinstance(bound, Loop):
        found, members = _of_loop(bound, members)
    else:
        found = writer.value_of(bound)
    for number, name in enumerate(members):
        found = _member(writer, found, name, root, depth, fast=number < MAX_MEMBERS)
    return found


def _of_loop(loop: Loop, members: Sequence[str | int | Path]) -> tuple[ast.expr, list[str | int | Path]]:
    """Return a field of the loop around, worked out from its counters, and the members that are left."""
    if loop.whole is not None:
        return load(loop.whole), list(members)
    index, length, one = load(loop.index), load(loop.length), const(1)
    fields: dict[str, ast.expr] = {
        "index": ast.BinOp(index, ast.Add(), one),
        "index0": ast.BinOp(index, ast.Add(), const(0)),
        "rindex": ast.BinOp(length, ast.Sub(), index),
        "rindex0": ast.BinOp(ast.BinOp(length, ast.Sub(), index), ast.Sub(), one),
        "first": compare(index, ast.Eq(), const(0)),
        "last": compare(index, ast.Eq(), ast.BinOp(length, ast.Sub(), one)),
        "length": ast.BinOp(length, ast.Add(), const(0)),
    }
    name = members[0] if len(members) == 1 else None
    if not isinstance(name, str) or name not in fields:
        raise NeedsLoops
    loop.counted = loop.counted or name != "length"
    return fields[name], []


def _member(writer: Writer, found: ast.expr, name: str | int | Path, root: str, depth: int, fast: bool) -> ast.expr:
    missing = writer.undefined(root)
    if isinstance(name, Path):
        return call("member", found, value(writer, name, depth + 1), missing)
    if not fast or isinstance(name, int):
        return call("member", found, const(name), missing)
    first, again = _twice(writer, found)
    general = call("member", reading(again), const(name), missing)
    if name == "size":
        return choose(is_type(first, "list"), call("len", again), general)
    test = writer.object_test(first.id) if isinstance(first, ast.Name) else None
    there = both(test or is_type(first, "dict"), compare(const(name), ast.In(), reading(again)))
    return choose(there, ast.Subscript(again, const(name), ast.Load()), general)


def _filtered(writer: Writer, left: ast.expr, filters: Sequence[Filter], depth: int) -> ast.expr:
    for each in filters:
        writer.steps += FILTER_STEPS
        positional, named = [], {}
        for argument in each.args:
            given = value(writer, argument.value, depth + 1)
            if isinstance(argument, KeywordArgument):
                named[argument.name] = given
            else:
                positional.append(given)
        function = writer.constant(bound_filter(writer.units.environment, each))
        left = call(function, load("run"), left, *positional)
        left.keywords = [ast.keyword(None, mapping(named.items()))] if named else []
        locate(left, each.token)
    return left


def _ternary(writer: Writer, expression: TernaryFilteredExpression, depth: int) -> ast.expr:
    then = value(writer, expression.left, depth + 1)
    otherwise: ast.expr = const(None)
    if expression.alternative is not None:
        otherwise = value(writer, expression.alternative, depth + 1)
        otherwise = _filtered(writer, otherwise, expression.filters or (), depth)
    chosen = choose(truth(writer, expression.condition, depth + 1), then, otherwise)
    return _filtered(writer, chosen, expression.tail_filters or (), depth)


def _comparison(writer: Writer, expression: Expression, depth: int) -> ast.expr:
    """Compare texts with texts and numbers with numbers at once, anything else as python-liquid does."""
    kind = type(expression)
    left, right = expression.children()
    sign = COMPARISONS[kind]()
    general = writer.constant(comparison(expression))
    if isinstance(right, TrueLiteral | FalseLiteral) and kind in EQUALITY and type(left) is Path:
        is_ = ast.Is() if kind is EqExpression else ast.IsNot()
        return compare(value(writer, left, depth + 1), is_, const(right.value))
    if type(left) is Path and type(right) in (StringLiteral, IntegerLiteral):
        assert isinstance(right, StringLiteral | IntegerLiteral)
        first, again = _twice(writer, value(writer, left, depth + 1))
        fast = compare(reading(again), sign, const(right.value))
        slow = call(general, load("run"), again, value(writer, right, depth + 1))
        return choose(is_type(first, "str" if type(right) is StringLiteral else "int"), fast, slow)
    return call(general, load("run"), value(writer, left, depth + 1), value(writer, right, depth + 1))


def _contains(writer: Writer, expression: ContainsExpression, depth: int) -> ast.expr:
    left, right = value(writer, expression.left, depth + 1), value(writer, expression.right, depth + 1)
    general = writer.constant(comparison(expression))
    if type(expression.right) is not StringLiteral:
        return call(general, load("run"), left, right)
    assert isinstance(expression.right, StringLiteral)
    first, again = _twice(writer, left)
    fast = compare(const(expression.right.value), ast.In(), reading(again))
    return choose(is_type(first, "str"), fast, call(general, load("run"), again, right))
