"""From a place in a template's text to a span of its file."""

import re
from bisect import bisect_right
from functools import lru_cache

from tessera.rules.source import Span


@lru_cache(maxsize=16)
def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


def line_and_column(text: str, index: int) -> tuple[int, int]:
    """Return the line and column, from 1, of a character of a text."""
    starts = _line_starts(text)
    line = bisect_right(starts, index)
    return line, index - starts[line - 1] + 1


def span_at(file: str, text: str, index: int, width: int) -> Span:
    """Return the span of some characters, cut off at the end of their line."""
    line, column = line_and_column(text, index)
    end = text.find("\n", index)
    room = (len(text) if end < 0 else end) - index
    return Span(file, line, column, column + max(1, min(width, room)))
