"""Expression text → tokens."""

import re
from typing import Literal, NamedTuple, get_args

TokenKind = Literal["name", "text", "sign", "timestamp", "version", "duration", "number", "stray", "end"]


class Token(NamedTuple):
    """`text` as authored, standing at `[start, end)` of the expression. Kind `stray` is what starts no token."""

    kind: TokenKind
    text: str
    start: int
    end: int


# Each alternative is linear; the frequent ones come first, and longer notations before those they begin with.
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<name>[^\W\d][\w-]*(?:\.\w[\w-]*)*)
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<sign>==|!=|<=|>=|[<>()\[\],])
    | (?P<timestamp>[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9:]+)?)?(?![\w.-]))
    | (?P<version>[0-9]+\.[0-9]+\.[0-9][\w.+-]*)
    | (?P<duration>[0-9]+[^\W\d_]+\b)
    | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?![\w.]))
    | (?P<stray>["'].*|[^\s\w()\[\],"']+|[^\s()\[\],"']+)
    )""",
    re.VERBOSE,
)

_KINDS: tuple[TokenKind, ...] = ("end", *get_args(TokenKind))  # by the number of the group
_ESCAPE = re.compile(r"\\([\"'\\])")
_NEEDS_ESCAPE = re.compile(r"\\(?=[\"'\\]|$)")


def tokenize(text: str) -> list[Token]:
    """The tokens of an expression, the last of kind `end`. Never fails: what is no token is a stray one."""
    tokens = []
    for match in _TOKEN.finditer(text):
        group = match.lastindex or 0
        start, end = match.span(group)
        tokens.append(Token(_KINDS[group], text[start:end], start, end))
    tokens.append(Token("end", "", len(text), len(text)))
    return tokens


def unquote(text: str) -> str:
    """What a text token stands for: a backslash escapes a quote or a backslash, and else stands for itself.

    So `"\\d+"` is the pattern that it looks like.
    """
    return _ESCAPE.sub(r"\1", text[1:-1])


def quote(text: str) -> str:
    """The text token that stands for `text`; the inverse of `unquote`."""
    return '"{}"'.format(_NEEDS_ESCAPE.sub(r"\\\\", text).replace('"', r"\""))
