"""What stands between the HTML of a template: outputs, and the tags that open, divide and close blocks.

Read off the text alone, without the languages' own parsers, for whoever needs to know what stands around each.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

JINJA = ".jinja"
_APART = frozenset({"call", "capture", "filter", "macro", "set"})
"""Blocks whose content is written elsewhere, or later."""
_BLOCKS = _APART | {"block", "case", "for", "fragment", "if", "tablerow", "unless"}
_DIVIDERS = frozenset({"elif", "else", "elsif", "when"})
_VERBATIM = frozenset({"raw", "comment", "doc"})

_START = re.compile(r"\{[{%#]")
_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_TOKEN = re.compile(rf"{_QUOTED}|[-~]?(?:\}}\}}|%\}})|[(\[{{)\]}}]", re.DOTALL)
_WORD = re.compile(r"\s*([a-z]+)")
_LITERAL = re.compile(rf"(?:{_QUOTED})(?:\s+if\s(?:(?!\belse\b).)*(?:\belse\s+(?:{_QUOTED}))?)?", re.DOTALL)
_FILTER = re.compile(rf"{_QUOTED}|\|\s*([a-zA-Z_]\w*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Construct:
    """One of them, by its place in the text. `expression` is what an output writes; `apart` blocks write elsewhere."""

    kind: Literal["output", "opens", "divides", "closes", "other"]
    start: int
    end: int
    expression: str = ""
    apart: bool = False

    @property
    def last_filter(self) -> str:
        """The name of the filter that is applied last, empty where there is none."""
        names = [found[1] for found in _FILTER.finditer(self.expression) if found[1]]
        return names[-1] if names else ""

    @property
    def is_literal(self) -> bool:
        """Tell whether all that can be written stands in the template."""
        return _LITERAL.fullmatch(self.expression) is not None


def constructs(text: str, suffix: str) -> Iterator[Construct]:
    """Yield them in order; what is commented out or verbatim counts for nothing."""
    at = 0
    while (found := _START.search(text, at)) is not None:
        start = found.start()
        if found[0] == "{#":
            end = text.find("#}", start) if suffix == JINJA else -1
            at = end + 2 if end >= 0 else found.end()
            if end >= 0:
                yield Construct("other", start, at)
            continue
        inside, at = _inside(text, found.end(), "}}" if found[0] == "{{" else "%}", suffix)
        if found[0] == "{{":
            yield Construct("output", start, at, inside)
            continue
        word = _WORD.match(inside)
        name = word[1] if word else ""
        if name in _VERBATIM:
            ended = re.compile(rf"\{{%[-+~]?\s*end{name}\s*[-+~]?%\}}").search(text, at)
            at = ended.end() if ended else len(text)
        yield _tag(name, inside, start, at)


def _tag(name: str, inside: str, start: int, end: int) -> Construct:
    if name == "echo":
        return Construct("output", start, end, inside.strip().removeprefix("echo").strip())
    if name in _DIVIDERS:
        return Construct("divides", start, end)
    if name.startswith("end"):
        return Construct("closes", start, end, apart=name[3:] in _APART)
    if name in _BLOCKS and not (name == "set" and "=" in inside):
        return Construct("opens", start, end, apart=name in _APART)
    return Construct("other", start, end)


def _inside(text: str, at: int, closing: str, suffix: str) -> tuple[str, int]:
    """Return what stands within delimiters, and where they end. Jinja's may have braces and texts within."""
    if suffix != JINJA:
        end = text.find(closing, at)
        end = len(text) if end < 0 else end
        return text[at:end].strip("-~ \t\n"), min(end + 2, len(text))
    depth = 0
    place = at
    while (found := _TOKEN.search(text, place)) is not None:
        token = found[0]
        if depth <= 0 and token.endswith(closing):
            return text[at : found.start()].strip("-+ \t\n"), found.end()
        if token[0] in "([{":
            depth += 1
        elif token[0] in ")]}":
            depth -= 1
            place = found.start() + 1
            continue
        place = found.end()
    return text[at:].strip(), len(text)
