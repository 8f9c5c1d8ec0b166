"""Liquid's tag `abort`: the fragment ends here, and shows nothing or the slot's default."""

from typing import TextIO

from liquid import RenderContext, Token
from liquid.ast import Node
from liquid.exceptions import LiquidSyntaxError
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, TOKEN_STRING

from tessera.renderer.engines.base import ABORT_TAKES, FALLBACK, Abort


class AbortNode(Node):
    """One use of the tag."""

    __slots__ = ("fallback",)

    def __init__(self, token: Token, *, fallback: bool) -> None:
        super().__init__(token)
        self.fallback = fallback
        self.blank = False

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        raise Abort(fallback=self.fallback)


class AbortTag(Tag):
    """`{% abort %}` and `{% abort "fallback" %}`."""

    name = "abort"
    block = False

    def parse(self, stream: TokenStream) -> AbortNode:
        token = stream.current
        if stream.peek.kind != TOKEN_EXPRESSION:
            return AbortNode(token, fallback=False)
        next(stream)
        tokens = stream.into_inner(tag=token, eat=False)
        given = tokens.current
        if given.kind != TOKEN_STRING or given.value != FALLBACK:
            raise LiquidSyntaxError(ABORT_TAKES, token=given)
        next(tokens)
        tokens.expect_eos()
        return AbortNode(token, fallback=True)
