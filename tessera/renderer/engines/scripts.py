"""The scripts and style sheets that stand in a template's text, for the Content-Security-Policy of pages that show it.

The HTML of a template is read as one text, both ways of a branch one after the other. What has values in it is unknown;
plain `.css` and `.js` partials that are taken in are their text.
"""

import re
from collections.abc import Callable
from html.parser import HTMLParser

from tessera.renderer.core.policy import Policy, hash_of
from tessera.renderer.engines.constructs import Construct, constructs

VALUE = "\ufffc"
"""Stands for whatever is known only when a template is rendered."""
CODE_SUFFIXES = (".css", ".js")

_RUN = frozenset(
    ("", "module", "importmap", "speculationrules", "text/javascript", "application/javascript", "text/ecmascript")
)
"""Types of `script` elements that a policy restricts (WHATWG HTML, "prepare the script element"); others hold data."""
_ORIGIN = re.compile(r"(?:(https?:)?//)([A-Za-z0-9.:\[\]-]+)(?:[/?#]|$)")
_OWN = re.compile(r"/(?![/\\])|[\w.][^:]*$|\?", re.ASCII)
_TAKES_IN = re.compile(r"\{%[-+]?\s*(?:include|render)\s+(?:\"([^\"]+)\"|'([^']+)')\s*[-+]?%\}")


def policy_of(name: str, text: str, plain: Callable[[str], str | None]) -> Policy:
    """Return what allows the scripts and style sheets of a template or an HTML partial.

    `plain` gives the text of a plain file that a tag names, None where it is no such file.
    """
    suffix = name[name.rfind(".") :]
    reader = _Reader(name)
    reader.read(_with_plain(text, suffix, plain) if suffix in (".liquid", ".jinja") else text)
    return Policy(frozenset(reader.scripts), frozenset(reader.styles), tuple(dict.fromkeys(reader.unknown)))


def _with_plain(text: str, suffix: str, plain: Callable[[str], str | None]) -> str:
    """Return a template's HTML: comments gone, plain code taken in, and a mark for whatever else is no text."""
    pieces: list[str] = []
    at, trims = 0, False
    for each in constructs(text, suffix):
        before = text[at : each.start]
        written = text[each.start : each.end]
        before = before.lstrip() if trims else before
        pieces += [before.rstrip() if written[2:3] == "-" else before, _written(each, written, plain)]
        at, trims = each.end, written[-3:-2] == "-"
    pieces.append(text[at:].lstrip() if trims else text[at:])
    return "".join(pieces)


def _written(construct: Construct, written: str, plain: Callable[[str], str | None]) -> str:
    if construct.kind == "other":
        if written.startswith("{#") or re.match(r"\{%[-+]?\s*(?:#|comment\b)", written):
            return ""
        taken_in = _TAKES_IN.fullmatch(written)
        found = plain(taken_in[1] or taken_in[2]) if taken_in else None
        if found is not None:
            return found
    return VALUE


class _Reader(HTMLParser):
    """Collects from HTML what runs or styles."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.scripts: set[str] = set()
        self.styles: set[str] = set()
        self.unknown: list[str] = []
        self.open = ""
        self._name = name
        self._text = ""

    def read(self, html: str) -> None:
        """Collect from a whole text."""
        self.feed(html)
        self.close()
        if self.open:
            self._is_unknown(f"a `{self.open}` that does not end in the same file")

    def parse_comment(self, i: int, report: bool = True) -> int:
        """Note a comment that does not end here: what it comments out depends on what comes after."""
        end = super().parse_comment(i, report)
        if end < 0:
            self._is_unknown("a comment that does not end in the same file")
        return end

    def handle_comment(self, data: str) -> None:
        inner = _Reader(self._name)  # where a branch opens the comment, what is in it may count
        inner.read(data)
        self.scripts |= inner.scripts
        self.styles |= inner.styles
        self.unknown += inner.unknown

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in reversed(attrs)}
        for name, value in given.items():
            if name.startswith("on") or name == "srcdoc" or value.strip().lower().startswith("javascript:"):
                self._is_unknown(f"`{name}`")
        if tag in ("object", "embed"):
            self._is_unknown(f"`{tag}`")
        elif tag == "link":
            relations = given.get("rel", "").lower().split()
            if "stylesheet" in relations:
                self._loads(self.styles, tag, given.get("href", ""))
            elif "modulepreload" in relations or given.get("as") == "script":
                self._loads(self.scripts, tag, given.get("href", ""))
        elif tag == "script" and VALUE in given.get("type", ""):
            self._is_unknown("a `script` of some type or other")
        elif tag == "script" and "src" in given:
            self._loads(self.scripts, tag, given["src"])
        elif tag == "style" or (tag == "script" and given.get("type", "").strip().lower() in _RUN):
            self.open, self._text = tag, ""

    def handle_data(self, data: str) -> None:
        self._text += data if self.open else ""

    def handle_endtag(self, tag: str) -> None:
        if tag != self.open:
            return
        text, self.open = self._text, ""
        if VALUE in text:
            self._is_unknown(f"a `{tag}` with values in it")
        elif tag == "style" and "@import" in text:
            self._is_unknown("a `style` that imports others")
        elif text:
            (self.scripts if tag == "script" else self.styles).add(hash_of(text))

    def _loads(self, sources: set[str], tag: str, address: str) -> None:
        known = address.strip().partition(VALUE)[0]
        origin = _ORIGIN.match(known)
        if origin is not None:
            sources.add((f"{origin[1]}//" if origin[1] else "") + origin[2])
        elif not _OWN.match(known):
            self._is_unknown(f"a `{tag}` from some place or other")

    def _is_unknown(self, what: str) -> None:
        self.unknown.append(f"{self._name}: {what}")
