r"""The last newline of a template stays where text stands before it: `{{- a -}} b` and a line end write `ab\n`.

Liquid's `-%}` takes white space up to the next text and nothing after that (`Liquid::BlockBody#whitespace_handler`).
python-liquid's scanner ends a text before the last newline of a file, because `$` matches there, and takes that newline
for white space that follows the tag too.
"""

from collections.abc import Callable, Iterator

from liquid import Token
from liquid.token import TOKEN_CONTENT

Tokenizer = Callable[[str], Iterator[Token]]


def keeping_last_newline(tokenize: Tokenizer) -> Tokenizer:
    """Return a tokenizer of templates that gives the last text of a file in one piece."""

    def tokens(source: str) -> Iterator[Token]:
        last: Token | None = None
        for token in tokenize(source):
            if last is not None and not (_is_text(last) and token == _last_newline(source)):
                yield last
                last = token
            elif last is None:
                last = token
        if last is not None:
            cut_off = source.endswith("\n") and _is_text(last) and last.start_index < len(source) - 1
            yield last._replace(value=last.value + "\n") if cut_off else last

    return tokens


def _last_newline(source: str) -> Token:
    return Token(TOKEN_CONTENT, "\n", len(source) - 1, source)


def _is_text(token: Token) -> bool:
    """Whether a token is text of the template, not of a `raw` tag, which is content too."""
    return token.kind == TOKEN_CONTENT and not token.source.startswith("{%", token.start_index)
