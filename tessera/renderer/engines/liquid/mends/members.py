"""Words of tags are names elsewhere: `{{ store.limit }}`, `{% render "card", limit: 3 %}`, and there `{{ limit }}`.

Liquid's lexer knows no keywords; what a word means is up to where it stands (`Liquid::Lexer`). python-liquid's gives
words such as `in`, `limit` and `with` tokens of their own wherever they stand, so its parser takes no such name.
"""

from collections.abc import Mapping
from functools import partial

from liquid import Token, TokenStream
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.output import Output, OutputNode
from liquid.tag import Tag
from liquid.token import TOKEN_COLON, TOKEN_DOT, TOKEN_OUTPUT, TOKEN_WORD

_OF_LOOPS = frozenset({"in", "limit", "offset", "reversed", "cols", "continue"})
_OF_PARTIALS = frozenset({"with", "for", "as"})
_WORDS = {*_OF_LOOPS, *_OF_PARTIALS, "required"}
_OWN_WORDS: Mapping[str, frozenset[str]] = {
    "for": _OF_LOOPS,
    "tablerow": _OF_LOOPS,
    "include": _OF_PARTIALS,
    "render": _OF_PARTIALS,
    "block": frozenset({"required"}),
}


class MemberStream(TokenStream):
    """Tokens of a template, in whose expressions a word is a name wherever it is no word of its tag."""

    def into_inner(self, *, tag: Token | None = None, eat: bool = True) -> TokenStream:
        """Return the tokens of the expression that comes next; see `TokenStream`."""
        inner = super().into_inner(tag=tag, eat=eat)
        names = _WORDS - _OWN_WORDS.get(tag.value if tag else "", frozenset())
        before = ""
        for place, token in enumerate(inner.tokens):
            after = inner.tokens[place + 1].kind if place + 1 < len(inner.tokens) else ""
            argument = after == TOKEN_COLON and token.kind in _OF_PARTIALS
            if token.kind in names or argument or (before == TOKEN_DOT and token.kind == token.value):
                inner.tokens[place] = token._replace(kind=TOKEN_WORD)
            before = token.kind
        return inner


class MemberOutput(Output):
    """Output that asks the stream for its tokens, as all tags do, instead of making them."""

    def parse(self, stream: TokenStream) -> OutputNode:
        """Parse what stands between `{{` and `}}`."""
        token = stream.eat(TOKEN_OUTPUT)
        return self.node_class(token, FilteredExpression.parse(self.env, stream.into_inner(eat=False)))


def read_members(tag: Tag) -> None:
    """Let one tag of an environment take names that are words of tags."""
    tag.parse = partial(_parse, tag.parse)  # type: ignore[method-assign]


def _parse(parse, stream):  # type: ignore[no-untyped-def]
    # The stream is python-liquid's own, made where no environment has a say.
    stream.__class__ = MemberStream
    return parse(stream)
