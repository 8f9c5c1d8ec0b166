"""`for`, `break` and `continue`: Python's own loops, with as much of `forloop` as is asked for."""

import ast

from liquid.ast import Node
from liquid.builtin.expressions import LoopExpression
from liquid.builtin.expressions.primitive import IntegerLiteral
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForLoop, ForNode
from liquid.exceptions import BreakLoop, ContinueLoop

from tessera.renderer.engines.liquid.compiler.expressions import value
from tessera.renderer.engines.liquid.compiler.operators import sequence_of
from tessera.renderer.engines.liquid.compiler.runtime import leave_loop, leave_round
from tessera.renderer.engines.liquid.compiler.shapes import Binding, Loop, NeedsLoops, Uncompiled
from tessera.renderer.engines.liquid.compiler.syntax import (
    assign,
    call,
    const,
    do,
    is_type,
    load,
    member,
    when,
)
from tessera.renderer.engines.liquid.compiler.tags import Tag
from tessera.renderer.engines.liquid.compiler.writer import MAX_LOOPS, Writer
from tessera.renderer.engines.liquid.tree import all_nodes


def loop(writer: Writer, node: ForNode) -> None:
    if len(writer.loops) >= MAX_LOOPS:
        raise Uncompiled
    try:
        _loop(writer, node)
    except NeedsLoops:
        if writer.loops:
            raise
        writer.whole.update(id(inner) for inner in all_nodes([node]) if isinstance(inner, ForNode))
        _loop(writer, node)


def _loop(writer: Writer, node: ForNode) -> None:
    index, length, elements = writer.variable(), writer.variable(), writer.variable()
    each, name = writer.variable(), str(node.expression.identifier)
    around = Loop(node, index, length, writer.variable() if id(node) in writer.whole else None)
    begin = [*_elements(writer, node.expression, elements, length)]
    whole: list[ast.stmt] = []
    if around.whole is not None:
        if writer.key.role == "include" and not writer.loops:
            raise Uncompiled  # Its `parentloop` lies in whatever takes the partial in.
        parent = writer.loops[-1].whole if writer.loops else None
        outer = load(parent) if parent else writer.undefined("parentloop")
        title = const(f"{name}-{node.expression.iterable}")
        whole = [
            assign(
                around.whole, call(writer.constant(ForLoop), title, call("iter", load(elements)), load(length), outer)
            )
        ]
    default = writer.block(node.default) if node.default else []
    writer.loops.append(around)
    writer.steady.add(each)
    names: dict[str, Binding] = {"forloop": around, name: each}
    try:
        with writer.scope(names):
            body = writer.block(node.block, repeats=True)
        body = [*writer.objects_asked([each]), *body]
    finally:
        writer.loops.pop()
    if around.interrupted:
        leave: list[tuple[type[Exception], ast.stmt]] = [(BreakLoop, ast.Break()), (ContinueLoop, ast.Continue())]
        handlers = [ast.ExceptHandler(writer.constant(kind), None, [way]) for kind, way in leave]
        body = [ast.Try(body, handlers, [], [])]
    goes: ast.stmt
    if around.whole is not None:
        goes = ast.For(ast.Name(each, ast.Store()), load(around.whole), body, [])
        if writer.shares:
            loops = ast.Attribute(member("run", "context"), "loops", ast.Load())
            whole.append(do(call(ast.Attribute(loops, "append", ast.Load()), load(around.whole))))
            loops = ast.Attribute(member("run", "context"), "loops", ast.Load())
            goes = ast.Try([goes], [], [], [do(call(ast.Attribute(loops, "pop", ast.Load())))])
    elif around.counted:
        both = ast.Tuple([ast.Name(index, ast.Store()), ast.Name(each, ast.Store())], ast.Store())
        goes = ast.For(both, call("enumerate", load(elements)), body, [])
    else:
        goes = ast.For(ast.Name(each, ast.Store()), load(elements), body, [])
    writer.add(*begin, when(load(length), [*whole, goes], default))


def _elements(writer: Writer, expression: LoopExpression, elements: str, length: str) -> list[ast.stmt]:
    """Return what finds the elements of a loop and their number: at once for a list, python-liquid's way for others."""
    found = writer.variable()
    limit = value(writer, expression.limit) if expression.limit else const(None)
    offset = value(writer, expression.offset) if expression.offset else const(None)
    general = call(writer.constant(sequence_of(expression)), load("run"), load(found), limit, offset)
    both = ast.Tuple([ast.Name(elements, ast.Store()), ast.Name(length, ast.Store())], ast.Store())
    slow: list[ast.stmt] = [ast.Assign([both], general)]
    start = assign(found, value(writer, expression.iterable))
    fixed = expression.limit.value if isinstance(expression.limit, IntegerLiteral) else 0
    if writer.units.continues:
        writer.stateful = True
    if writer.units.continues or expression.offset or expression.reversed or (expression.limit and fixed <= 0):
        return [start, *slow]
    first: ast.expr = load(found)
    if fixed > 0:
        first = ast.Subscript(load(found), ast.Slice(None, const(fixed), None), ast.Load())
    fast = [
        assign(elements, first),
        assign(length, call("len", load(elements))),
        ast.AugAssign(
            ast.Attribute(load("meter"), "left", ast.Store()), ast.Sub(), ast.BinOp(load(length), ast.Mult(), const(2))
        ),
    ]
    return [start, when(is_type(load(found), "list"), fast, slow)]


def interrupt(writer: Writer, node: BreakNode | ContinueNode) -> None:
    """Leave a loop, or one round of it. Outside of all loops of a partial, it leaves one that the partial stands in."""
    leaving = isinstance(node, BreakNode)
    if writer.loops:
        writer.add(ast.Break() if leaving else ast.Continue())
        return
    writer.interrupts = True
    writer.add(do(call(writer.constant(leave_loop if leaving else leave_round))))


LOOPS: dict[type[Node], Tag] = {BreakNode: interrupt, ContinueNode: interrupt, ForNode: loop}
