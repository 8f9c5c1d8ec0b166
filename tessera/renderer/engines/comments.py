"""What authors state of a template in a comment: a word, a colon, and entries with commas or blanks between.

`{# reads: visitor.tier, items[].title #}` in Jinja; `{% # reads: … %}` or `{% comment %} reads: … {% endcomment %}` in
Liquid.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tessera.renderer.engines.places import span_at
from tessera.rules.source import Span

JINJA = ".jinja"
_ENTRY = re.compile(r"[^\s,#]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a statement, and where it stands."""

    text: str
    span: Span


def entries(file: str, text: str, word: str) -> list[Entry] | None:
    """Return the entries of all statements that begin with a word; None where there is no such statement."""
    stated = list(_pattern(word, file.endswith(JINJA)).finditer(text))
    return [entry for each in stated for entry in _within(file, text, each)] if stated else None


@lru_cache
def _pattern(word: str, jinja: bool) -> re.Pattern[str]:
    if jinja:
        return re.compile(rf"\{{#[-+]?\s*{word}:(?P<entries>[^{{]*?)[-+]?#\}}")
    return re.compile(
        rf"\{{%-?\s*(?:#\s*{word}:(?P<entries>[^{{]*?)-?%\}}"
        rf"|comment\s*-?%\}}\s*{word}:(?P<block>[^{{]*?)\{{%-?\s*endcomment\b)"
    )


def _within(file: str, text: str, stated: re.Match[str]) -> Iterator[Entry]:
    group = "entries" if stated["entries"] is not None else "block"
    for each in _ENTRY.finditer(text, *stated.span(group)):
        yield Entry(each[0], span_at(file, text, each.start(), len(each[0])))
