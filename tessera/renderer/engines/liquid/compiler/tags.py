"""Tags without loops and partials: what is written, set and decided."""

import ast
from collections.abc import Callable
from typing import Any

from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, StringLiteral
from liquid.builtin.expressions.logical import EqExpression
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.builtin.tags.decrement_tag import DecrementNode
from liquid.builtin.tags.doc_tag import DocNode
from liquid.builtin.tags.echo_tag import EchoNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.ifchanged_tag import IfChangedNode
from liquid.builtin.tags.increment_tag import IncrementNode
from liquid.builtin.tags.inline_comment_tag import InlineCommentNode
from liquid.builtin.tags.liquid_tag import LiquidNode
from liquid.builtin.tags.unless_tag import UnlessNode
from markupsafe import Markup

from tessera.renderer.engines.liquid.compiler.expressions import paid_value, truth, value
from tessera.renderer.engines.liquid.compiler.runtime import cycled
from tessera.renderer.engines.liquid.compiler.shapes import Uncompiled
from tessera.renderer.engines.liquid.compiler.syntax import (
    assign,
    call,
    const,
    do,
    load,
    member,
    when,
)
from tessera.renderer.engines.liquid.compiler.writer import Writer

MAX_BRANCHES = 60
"""Branches of one `if`, which lie within one another in Python's tree."""

Tag = Callable[[Writer, Any], None]


def content(writer: Writer, node: ContentNode) -> None:
    writer.write(node.text)


def nothing(writer: Writer, node: Node) -> None:
    """Comments write nothing."""


def output(writer: Writer, node: OutputNode) -> None:
    expression = node.expression
    if isinstance(expression, FilteredExpression) and not expression.filters:
        expression = expression.left
    if type(expression) is StringLiteral:
        assert isinstance(expression, StringLiteral)
        writer.write(expression.value)  # The author's own markup.
    else:
        writer.write_value(value(writer, expression))


def block(writer: Writer, node: BlockNode) -> None:
    if node.blank:
        writer.add(*writer.block(node))
    else:
        writer.nodes(node.nodes)


def liquid(writer: Writer, node: LiquidNode) -> None:
    block(writer, node.block)


def set_name(writer: Writer, node: AssignNode) -> None:
    writer.add(*writer.setting(str(node.name), paid_value(writer, node.expression)))


def capture(writer: Writer, node: CaptureNode) -> None:
    writer.add(*writer.setting(str(node.name), call(writer.constant(Markup), collected(writer, node.block))))


def collected(writer: Writer, inner: BlockNode) -> ast.expr:
    """Write what collects the text of a block; return an expression for the text."""
    if inner.blank:
        writer.add(*writer.block(inner))
        return const("")
    parts, append, room = writer.variable(), writer.variable(), writer.variable()
    writer.add(assign(parts, ast.List([], ast.Load())), assign(append, member(parts, "append")))
    writer.add(assign(room, member("run", "room")))
    outer, writer.output = writer.output, append
    try:
        body = writer.block(inner)
    finally:
        writer.output = outer
    writer.add(*body)
    return call(member("run", "captured"), load(parts), load(room))


def decide(writer: Writer, node: IfNode | UnlessNode) -> None:
    if len(node.alternatives) > MAX_BRANCHES:
        raise Uncompiled
    test = truth(writer, node.condition)
    if isinstance(node, UnlessNode):
        test = ast.UnaryOp(ast.Not(), test)
    consequence = writer.block(node.consequence)
    otherwise = writer.block(node.default) if node.default else []
    for alternative in reversed(node.alternatives):
        otherwise = [when(truth(writer, alternative.expression), writer.block(alternative.block), otherwise)]
    writer.add(when(test, consequence, otherwise))


def case(writer: Writer, node: CaseNode) -> None:
    """Write every block whose values match, as often as they do; an `else` only where none before it did."""
    matched = writer.variable()
    default = any(isinstance(branch, BlockNode) for branch in node.blocks)
    if default:
        writer.add(assign(matched, const(False)))
    for branch in node.blocks:
        if isinstance(branch, MultiExpressionBlockNode):
            left = node.expression
            tests = [truth(writer, EqExpression(node.token, left, each)) for each in branch.expression.expressions]
            body = writer.block(branch.block)
            if default:
                body.insert(0, assign(matched, const(True)))
            if len(tests) == 1:
                writer.add(when(tests[0], body))
                continue
            if any(isinstance(inner, ast.Break | ast.Continue) for each in body for inner in ast.walk(each)):
                raise Uncompiled  # They would leave the loop that repeats the block.
            times = call("sum", ast.Tuple(list(tests), ast.Load()))
            each_time = ast.For(ast.Name(writer.variable(), ast.Store()), call("range", times), body, [])
            writer.add(each_time)
        else:
            writer.add(when(ast.UnaryOp(ast.Not(), load(matched)), writer.block(branch)))


def cycle(writer: Writer, node: CycleNode) -> None:
    writer.stateful = True
    group = value(writer, node.group) if node.group else const("")
    values = ast.List([value(writer, each) for each in node.args], ast.Load())
    writer.write(call(writer.constant(cycled), load("run"), group, const(node.group is not None), values))


def count(writer: Writer, node: IncrementNode | DecrementNode) -> None:
    writer.stateful = True
    counted = ast.Attribute(member("run", "context"), "increment", ast.Load())
    if isinstance(node, DecrementNode):
        counted.attr = "decrement"
    writer.write(call("str", call(counted, const(str(node.name)))))


def if_changed(writer: Writer, node: IfChangedNode) -> None:
    writer.stateful = True
    text = writer.variable()
    writer.add(assign(text, collected(writer, node.block)))
    changed = call(ast.Attribute(member("run", "context"), "ifchanged", ast.Load()), load(text))
    if writer.output is None:
        writer.add(do(changed))
    else:
        writer.add(when(changed, [do(call(writer.output, load(text)))]))


TAGS: dict[type[Node], Tag] = {
    AssignNode: set_name,
    BlockNode: block,
    CaptureNode: capture,
    CaseNode: case,
    CommentNode: nothing,
    ContentNode: content,
    CycleNode: cycle,
    DecrementNode: count,
    DocNode: nothing,
    EchoNode: output,
    IfChangedNode: if_changed,
    IfNode: decide,
    IncrementNode: count,
    InlineCommentNode: nothing,
    LiquidNode: liquid,
    OutputNode: output,
    UnlessNode: decide,
}


def leave(writer: Writer, node: Node) -> None:
    """Leave a tag that has no compiled form to python-liquid."""
    raise Uncompiled
