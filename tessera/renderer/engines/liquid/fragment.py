"""Liquid's tag `fragment`: a part of a template that is cached by itself."""

from collections.abc import Iterable, Iterator
from typing import TextIO

from liquid import RenderContext, Token
from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.liquid_tag import LiquidNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.exceptions import LiquidSyntaxError
from liquid.extra.tags.extends_tag import BlockNode as InheritedBlock
from liquid.parser import get_parser
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, TOKEN_STRING, TOKEN_TAG

from tessera.renderer.core.layout import nested_mark
from tessera.renderer.engines.fragments import MISPLACED, NAME, NESTED, TAKES, TWICE

_PLACES = (
    BlockNode,
    CaseNode,
    ConditionalBlockNode,
    IfNode,
    InheritedBlock,
    LiquidNode,
    MultiExpressionBlockNode,
    UnlessNode,
)


class FragmentNode(Node):
    """One use of the tag. It writes a mark; its body is no part of the template around it."""

    __slots__ = ("block", "name")

    def __init__(self, token: Token, name: str, block: BlockNode) -> None:
        super().__init__(token)
        self.name = name
        self.block = block
        self.blank = False

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(nested_mark(self.name))


class FragmentTag(Tag):
    """`{% fragment %}` and `{% fragment "name" %}`, up to `{% endfragment %}`."""

    name = NESTED
    end = f"end{NESTED}"

    def parse(self, stream: TokenStream) -> FragmentNode:
        token = stream.eat(TOKEN_TAG)
        name = ""
        if stream.current.kind == TOKEN_EXPRESSION:
            tokens = stream.into_inner(tag=token)
            given = tokens.current
            if given.kind != TOKEN_STRING or not NAME.fullmatch(given.value):
                raise LiquidSyntaxError(TAKES, token=given)
            name = given.value
            next(tokens)
            tokens.expect_eos()
        block = get_parser(self.env).parse_block(stream, (self.end,))
        stream.expect(TOKEN_TAG, value=self.end)
        return FragmentNode(token, name, block)


def nested_fragments(nodes: Iterable[Node]) -> list[FragmentNode]:
    """Return the fragments that stand in a template, not those within them, each with a name of its own.

    Raises LiquidSyntaxError where one stands where none can.
    """
    found = list(_find(nodes, ""))
    names = {node.name for node in found if node.name}
    if len(names) < sum(bool(node.name) for node in found):
        twice = next(node for n, node in enumerate(found) if node.name in [other.name for other in found[:n]])
        raise LiquidSyntaxError(TWICE.format(twice.name), token=twice.token)
    for number, node in enumerate(found, 1):
        node.name = node.name or str(number)
    return found


def _find(nodes: Iterable[Node], within: str) -> Iterator[FragmentNode]:
    for node in nodes:
        if isinstance(node, FragmentNode):
            if within:
                raise LiquidSyntaxError(MISPLACED.format(within), token=node.token)
            yield node
        else:
            inside = within if isinstance(node, _PLACES) else node.token.value
            # Without partials, no other node asks anything of the context that it is handed.
            yield from _find(node.children(None, include_partials=False), inside)  # type: ignore[arg-type]
