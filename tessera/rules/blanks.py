"""The blanks of a YAML file in one form: two columns a level, one blank between words, one empty line at most.

Works on the tokens of YAML, and on nothing but what stands between them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from ruamel.yaml import YAML

STEP = 2
"""Columns of one level."""

_OPENING = ("FlowMappingStartToken", "FlowSequenceStartToken")
_CLOSING = ("FlowMappingEndToken", "FlowSequenceEndToken")
_BLOCKS = ("BlockMappingStartToken", "BlockSequenceStartToken")
_TIGHT_BEFORE = (*_CLOSING, "FlowEntryToken", "ValueToken")
_LEADING_BLANKS = re.compile(r"^[ \t]+", re.MULTILINE)


class _Piece(NamedTuple):
    """A token as it will stand. `column` is where it stands, `level` where it will, should it begin a line."""

    text: str
    kind: str
    start: int
    end: int
    column: int
    level: int


class _Block(NamedTuple):
    """A block collection that is open: where its entries stand, and where they will."""

    kind: str
    column: int
    level: int


def tidied_blanks(text: str, replaced: Mapping[int, str]) -> str:
    """The text with its blanks in one form; `replaced` has other values for scalars, by where these begin.

    The text must be YAML without directives, anchors and tags.
    """
    pieces = list(_Pieces(text, replaced))
    starts = [piece for piece in pieces if not text[: piece.start].rpartition("\n")[2].strip()]
    edges = [_Piece("", "", 0, 0, 0, 0), *pieces, _Piece("", "", len(text), len(text), -1, 0)]
    parts = []
    for before, after in pairwise(edges):
        gap = text[before.end : after.start]
        if "\n" in gap or not before.text:
            parts.append(_broken(gap, before, after, starts))
        else:
            parts.append(_between(before, after) if after.text else gap.rstrip(" \t"))
        parts.append(after.text)
    return "".join(parts).strip("\n") + "\n" if pieces else text


class _Pieces:
    """The tokens of a text, in order."""

    def __init__(self, text: str, replaced: Mapping[int, str]) -> None:
        self._text = text
        self._replaced = replaced
        self._open: list[_Block] = []
        self._brackets = 0

    def __iter__(self) -> Iterator[_Piece]:
        before = ""
        for token in YAML(typ="safe").scan(self._text):
            kind = type(token).__name__
            self._follow(token, kind)
            start, end = token.start_mark.index, token.end_mark.index
            if start < end:
                text = self._scalar(token) if kind == "ScalarToken" else self._text[start:end]
                end -= len(self._text[start:end]) - len(self._text[start:end].rstrip("\n"))
                yield _Piece(text, kind, start, end, token.start_mark.column, self._level(kind, before))
            self._brackets += (kind in _OPENING) - (kind in _CLOSING)
            before = kind

    def _follow(self, token: Any, kind: str) -> None:
        """Keep account of which collections are open. A list that is not indented has no token for its ends."""
        top = self._open[-1].kind if self._open else ""
        column = token.start_mark.column
        if kind in _BLOCKS:
            self._push(kind, column)
        elif kind == "BlockEntryToken" and top == "BlockMappingStartToken":
            self._push("", column)
        elif kind in ("KeyToken", "BlockEndToken") and not self._brackets and self._open and not top:
            self._open.pop()
        if kind == "BlockEndToken":
            self._open.pop()

    def _push(self, kind: str, column: int) -> None:
        self._open.append(_Block(kind, column, self._open[-1].level + STEP if self._open else 0))

    def _level(self, kind: str, before: str) -> int:
        top = self._open[-1].level if self._open else 0
        if self._brackets:
            return top + STEP * self._brackets + (0 if kind in _CLOSING else STEP)
        return top + STEP if before in ("ValueToken", "BlockEntryToken") and kind != "BlockEntryToken" else top

    def _scalar(self, token: Any) -> str:
        text = self._text[token.start_mark.index : token.end_mark.index].rstrip("\n")
        value = self._replaced.get(token.start_mark.index)
        if value is not None:
            return _quoted(value, token.style or "")
        if "\n" not in text:
            return text
        top = self._open[-1]
        if token.style in ("|", ">"):
            first, _, rest = text.partition("\n")
            says_how_deep = any(char.isdigit() for char in first.partition("#")[0])
            by = top.level - top.column if says_how_deep else top.level + STEP - _indent(rest.lstrip("\n"))
            return f"{first.rstrip()}\n{_shifted(rest, by)}"
        return _LEADING_BLANKS.sub("", text).replace("\n", "\n" + " " * (top.level + STEP + STEP * self._brackets))


def _shifted(text: str, by: int) -> str:
    """The lines of a block of text, moved to the right, or to the left as far as there are blanks."""
    lines = text.split("\n")
    moved = [" " * by + line for line in lines] if by > 0 else [line[:-by].lstrip(" ") + line[-by:] for line in lines]
    return "\n".join(line if line.strip() else "" for line in (moved if by else lines))


def _quoted(value: str, style: str) -> str:
    if style == "'":
        return "'{}'".format(value.replace("'", "''"))
    if style == '"':
        return '"{}"'.format(value.replace("\\", "\\\\").replace('"', '\\"'))
    return value


def _between(before: _Piece, after: _Piece) -> str:
    """What stands between two tokens of one line."""
    tight = after.kind in _TIGHT_BEFORE and before.kind != "ValueToken"
    return "" if before.kind in _OPENING or tight else " "


def _broken(gap: str, before: _Piece, after: _Piece, starts: Sequence[_Piece]) -> str:
    """What stands between two tokens of different lines: comments, and one empty line where there were any."""
    first, *rest = [line.rstrip() for line in gap.split("\n")]
    lines = [first]
    if not before.text:
        lines, rest = [], [first, *rest]
    for line in rest[:-1] if after.text else rest:
        if line:
            lines.append(" " * _comment_level(line, after, starts) + line.lstrip())
        elif lines and (lines[-1] or len(lines) == 1):
            lines.append("")
    return "\n".join([*lines, " " * after.level])


def _comment_level(line: str, after: _Piece, starts: Sequence[_Piece]) -> int:
    """Where a comment goes: with what it stands above, else with the nearest line before that begins where it does."""
    column = _indent(line)
    earlier = (piece for piece in reversed(starts) if piece.start < after.start)
    alike = (piece.level for piece in (after, *earlier) if piece.column == column)
    return next(alike, after.level)


def _indent(line: str) -> int:
    """With how many blanks a line begins."""
    return len(line) - len(line.lstrip(" "))
