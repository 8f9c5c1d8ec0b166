"""A look at a Liquid text before python-liquid's scanner has it, whose patterns take quadratic time on some."""

import re

from tessera.renderer.engines.base import SyntaxFault
from tessera.renderer.engines.places import line_and_column

MAX_BRACKETS = 40
MAX_LENGTH = 8000
_LIQUID = re.compile(r"\{%-?\s*liquid\b")
_VERBATIM = re.compile(r"\{%-?\s*(raw|doc|comment)\s*-?%\}")


def check_delimiters(text: str) -> None:
    """Raise SyntaxFault where a tag or an output is never closed, is absurdly long or has absurdly many brackets.

    With that ruled out, every pattern of the scanner ends soon after where it begins. Linear in the text.
    """
    at = 0
    while (start := _opening(text, at)) >= 0:
        closing = "}}" if text[start + 1] == "{" else "%}"
        end = text.find(closing, start + 2)
        if end < 0:
            raise _fault(text, start, f"`{text[start : start + 2]}` is never closed by `{closing}`", 2)
        verbatim = _VERBATIM.match(text, start)
        if verbatim and verbatim[1] != "comment":
            ended = re.compile(rf"\{{%-?\s*end{verbatim[1]}\s*-?%\}}").search(text, verbatim.end())
            if ended is None:
                raise _fault(text, start, f"`{verbatim[1]}` is never ended by `end{verbatim[1]}`", len(verbatim[0]))
            at = ended.end()
            continue
        if text.count("(", start, end) + text.count("[", start, end) > MAX_BRACKETS:
            raise _fault(text, start, f"more than {MAX_BRACKETS} brackets in one place", 2)
        lines = text[start:end].split("\n") if _LIQUID.match(text, start) else [text[start:end]]
        if not verbatim and max(map(len, lines)) > MAX_LENGTH:
            raise _fault(text, start, f"one tag or output is longer than {MAX_LENGTH:,} characters", 2)
        at = end + 2


def unended(text: str, end: str) -> int:
    """Return where the tag opens that is never ended by the tag `end`: the last one that nothing ends."""
    opened: list[int] = []
    for tag in re.finditer(rf"\{{%-?\s*(?:(?P<end>{end})|{end.removeprefix('end')})\b", text):
        if tag["end"] is None:
            opened.append(tag.start())
        elif opened:
            opened.pop()
    return opened[-1] if opened else 0


def _opening(text: str, at: int) -> int:
    places = [place for place in (text.find("{{", at), text.find("{%", at)) if place >= 0]
    return min(places, default=-1)


def _fault(text: str, index: int, message: str, width: int) -> SyntaxFault:
    return SyntaxFault(message, *line_and_column(text, index), width)
