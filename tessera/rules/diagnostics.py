"""One shape for every complaint to an author, as text and as JSON.

Messages are lowercase, without a full stop, with the author's own words in backticks; the fix stands under `help`, and
only when it is close.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache
from itertools import groupby, islice
from typing import Literal
from unicodedata import combining, east_asian_width

from tessera.rules.source import Source, Span

Severity = Literal["error", "warning"]

_TOLD = ("code", "severity", "message", "label", "help")
MAX_COMPLAINTS = 1000
"""How many complaints about one file are told. Nobody reads more, and a file of nonsense earns millions."""

_CLOSE = 0.6
_EXCERPT_WIDTH = 160
_COLORS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "help": "\x1b[36m"}
_PLAIN = "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A complaint about one place. `label` stands beside the marked columns; either text may be empty."""

    code: str
    severity: Severity
    message: str
    span: Span
    label: str = ""
    help: str = ""


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By place, each complaint once, and of one file no more than MAX_COMPLAINTS."""
    by_place = sorted(dict.fromkeys(diagnostics), key=lambda each: (each.span, each.code, each.message))
    by_file = groupby(by_place, key=lambda each: each.span.file)
    return [each for _, of_file in by_file for each in islice(of_file, MAX_COMPLAINTS)]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Help that names the known word closest to `word`; empty when none is close.

    What two dotted names have in common before the last dot makes them no closer.
    """
    return _did_you_mean(word, tuple(sorted(known)))


@lru_cache(maxsize=1024)
def _did_you_mean(word: str, known: tuple[str, ...]) -> str:
    """Remembered, because who mistypes a name often does so in every rule."""
    for close in get_close_matches(word, known, n=3):
        if SequenceMatcher(None, *_tails(word, close)).ratio() >= _CLOSE:
            return f"did you mean `{close}`?"
    return ""


def _tails(one: str, other: str) -> tuple[str, str]:
    """The last parts of two names that begin alike, else both names."""
    (head, _, tail), (other_head, _, other_tail) = one.rpartition("."), other.rpartition(".")
    return (tail, other_tail) if head == other_head else (one, other)


def render_text(diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source], color: bool = False) -> str:
    """The complaints for people, each with the line it is about, separated by empty lines."""
    return "\n".join(_render(each, sources.get(each.span.file), color) for each in diagnostics)


def to_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, object]]:
    """The complaints as JSON-ready objects: the fields of `Diagnostic`, with those of `Span` beside them."""
    return [{**each.span._asdict(), **{name: getattr(each, name) for name in _TOLD}} for each in diagnostics]


def _render(diagnostic: Diagnostic, source: Source | None, color: bool) -> str:
    def painted(text: str, role: str) -> str:
        return f"{_COLORS[role]}{_printable(text)}{_PLAIN}" if color and text else _printable(text)

    span = diagnostic.span
    title = painted(f"{diagnostic.severity}[{diagnostic.code}]", diagnostic.severity)
    lines = [f"{span.file}:{span.line}:{span.column}: {title}: {_printable(diagnostic.message)}"]
    margin = " " * len(str(span.line))
    line = source.line(span.line) if source else None
    if line is not None:
        excerpt, before, marked = _excerpt(line, span)
        pointer = painted(f"{'^' * marked} {diagnostic.label}".rstrip(), diagnostic.severity)
        lines += [f"{margin} |", f"{span.line} | {excerpt}", f"{margin} | {before}{pointer}"]
    if diagnostic.help:
        lines.append(f"{margin} = {painted('help', 'help')}: {_printable(diagnostic.help)}")
    return "\n".join(lines) + "\n"


def _excerpt(line: str, span: Span) -> tuple[str, str, int]:
    """The line, cut around the span when it is long; the blanks that lead to the mark; the width of the mark."""
    start, end = span.column - 1, max(span.end_column - 1, span.column)
    cut = max(0, end - _EXCERPT_WIDTH) if end - start < _EXCERPT_WIDTH else start
    shown = _printable(line[cut : cut + _EXCERPT_WIDTH])
    excerpt = ("…" if cut else "") + shown + ("…" if cut + _EXCERPT_WIDTH < len(line) else "")
    before = " " * ((1 if cut else 0) + _width(shown[: start - cut]))
    return excerpt.rstrip(), before, max(1, _width(shown[start - cut : end - cut]))


def _printable(text: str) -> str:
    """One line that cannot command a terminal: a tab becomes a space, what has no shape a question mark."""
    return "".join(char if char.isprintable() else " " if char == "\t" else "\ufffd" for char in text)


def _width(text: str) -> int:
    """Terminal cells that `text` takes (Unicode Standard Annex 11)."""
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
