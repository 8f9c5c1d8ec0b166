"""Python's syntax tree in short. Code is made of these nodes only, never of text, so no template puts code into it."""

import ast
from collections.abc import Iterable, Sequence

from liquid import Token

from tessera.renderer.engines.places import line_and_column

Constant = str | int | float | bool | None
LOAD, STORE = ast.Load(), ast.Store()


def load(name: str) -> ast.Name:
    return ast.Name(name, LOAD)


def const(value: Constant) -> ast.Constant:
    return ast.Constant(value)


def call(function: str | ast.expr, *values: ast.expr, **named: ast.expr) -> ast.Call:
    called = load(function) if isinstance(function, str) else function
    return ast.Call(called, list(values), [ast.keyword(name, value) for name, value in named.items()])


def member(value: str, name: str) -> ast.Attribute:
    return ast.Attribute(load(value), name, LOAD)


def keep(name: str, value: ast.expr) -> ast.expr:
    """Return an expression that gives a value and keeps it under a name."""
    return ast.NamedExpr(ast.Name(name, STORE), value)


def assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, STORE)], value)


def do(value: ast.expr) -> ast.stmt:
    return ast.Expr(value)


def compare(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> ast.expr:
    return ast.Compare(left, [operator], [right])


def is_type(value: ast.expr, kind: str) -> ast.expr:
    return compare(call("type", value), ast.Is(), load(kind))


def both(*tests: ast.expr) -> ast.expr:
    return ast.BoolOp(ast.And(), list(tests))


def choose(test: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.expr:
    return ast.IfExp(test, then, otherwise)


def when(test: ast.expr, then: list[ast.stmt], otherwise: Sequence[ast.stmt] = ()) -> ast.stmt:
    return ast.If(test, then or [ast.Pass()], list(otherwise))


def mapping(entries: Iterable[tuple[str, ast.expr]]) -> ast.expr:
    """Return a dict; of equal keys the last one holds, as everywhere in Python."""
    pairs = list(entries)
    return ast.Dict([const(name) for name, _ in pairs], [value for _, value in pairs])


def reading(value: ast.expr) -> ast.expr:
    """Return the same once more, where a value is but a name or a constant; a node may stand in one place only."""
    return load(value.id) if isinstance(value, ast.Name) else value


def locate(node: ast.AST, token: Token) -> None:
    """Say of all nodes that have no place yet that they stand where a token of the template does."""
    line, column = line_and_column(token.source, max(token.start_index, 0))
    _place(node, {"lineno": line, "end_lineno": line, "col_offset": column - 1, "end_col_offset": column})


def _place(node: ast.AST, place: dict[str, int]) -> None:
    # `ast.walk` and `ast.fix_missing_locations` took most of the time of compiling.
    waiting = [node]
    while waiting:
        fields = waiting.pop().__dict__
        if "lineno" in fields:
            continue
        for value in fields.values():
            if isinstance(value, ast.AST):
                waiting.append(value)
            elif type(value) is list:
                waiting.extend(value)
        fields.update(place)
