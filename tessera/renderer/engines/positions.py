"""Where in the HTML that a template writes its values stand, and where escaping does not keep them harmless.

A template is read as one text, in the order in which it is written: HTML around outputs and tags, both ways of a branch
beginning alike. What partials write is not looked into. So this finds what authors overlook, and proves nothing.
Source for what is dangerous where: OWASP, "Cross Site Scripting Prevention Cheat Sheet".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tessera.renderer.engines.constructs import Construct, constructs

Danger = Literal["unquoted", "code", "address"]

ADDRESSES = frozenset({"action", "background", "cite", "data", "formaction", "href", "poster", "src", "xlink:href"})
"""Attributes whose value is an address that a browser may go to or load."""
CODE_ELEMENTS = ("script", "style")
_CODE_ATTRIBUTE = re.compile(r"on|hx-on|style$|srcdoc$")
_CODE_SCHEME = re.compile(r"\s*(javascript|vbscript|data):", re.IGNORECASE)

NUMBERS = frozenset(
    "abs at_least at_most ceil count divided_by float floor int length minus modulo plus round size times".split()
)
"""Filters of either language that give a number, which is harmless anywhere."""
SAFE_ADDRESSES = NUMBERS | {"image_url", "srcset", "url", "url_encode", "urlencode"}
AS_JSON = frozenset({"json_script", "tojson"})
CHECKED = "cta.url"
"""The one input that is known to be a harmless address: rules are checked for how their links begin."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in HTML. `raw` is the element whose text is code; `value` is what stands of an attribute's so far."""

    state: Literal["text", "comment", "raw", "tag", "after_name", "value"] = "text"
    element: str = ""
    raw: str = ""
    attribute: str = ""
    quote: str = ""
    value: str = ""

    def after(self, text: str) -> "Place":
        """Return the place behind some more text."""
        place, at = self, 0
        while at < len(text):
            place, at = _STEPS[place.state](place, text, at)
        return place

    def danger(self, output: Construct) -> Danger | None:
        """Return what is wrong with a value that is written here, None where escaping is enough."""
        if output.is_literal or output.last_filter in NUMBERS:
            return None
        if self.state == "raw":
            return None if self.raw == "script" and output.last_filter in AS_JSON else "code"
        if self.state in ("tag", "after_name") or (self.state == "value" and not self.quote):
            return "unquoted"
        if self.state != "value":
            return None
        if _CODE_ATTRIBUTE.match(self.attribute):
            return "code"
        if self.attribute not in ADDRESSES:
            return None
        if _CODE_SCHEME.match(self.value):
            return "code"
        safe = self.value.strip() or output.last_filter in SAFE_ADDRESSES or output.expression == CHECKED
        return None if safe else "address"


def dangers(text: str, suffix: str) -> Iterator[tuple[Danger, int, int]]:
    """Yield each output of a template that is not harmless where it stands: what is wrong, its place and its length."""
    place, branches, at = Place(), list[Place](), 0
    for each in constructs(text, suffix):
        place, at = place.after(text[at : each.start]), each.end
        if each.kind == "output":
            danger = place.danger(each)
            if danger is not None:
                yield danger, each.start, each.end - each.start
            if place.state == "after_name":
                place = replace(place, state="value", value="")
        elif each.kind == "opens":
            branches.append(place)
            place = Place() if each.apart else place
        elif branches and each.kind == "divides":
            place = branches[-1]
        elif branches and each.kind == "closes":
            before = branches.pop()
            place = before if each.apart else place


_OPENING = re.compile(r"<!--|</?([a-zA-Z][^\s/>]*)")
_NAME = re.compile(r"[^\s\"'>/=]+")
_BLANK = re.compile(r"\s*")
_UNQUOTED = re.compile(r"[^\s>]*")


def _in_text(place: Place, text: str, at: int) -> tuple[Place, int]:
    found = _OPENING.search(text, at)
    if found is None:
        return place, len(text)
    if found[1] is None:
        return Place("comment"), found.end()
    element = "" if found[0].startswith("</") else found[1].lower()
    return Place("tag", element), found.end()


def _in_comment(place: Place, text: str, at: int) -> tuple[Place, int]:
    end = text.find("-->", at)
    return (place, len(text)) if end < 0 else (Place(), end + 3)


def _in_raw(place: Place, text: str, at: int) -> tuple[Place, int]:
    found = re.compile(rf"</{place.raw}", re.IGNORECASE).search(text, at)
    return (place, len(text)) if found is None else (Place("tag"), found.end())


def _in_tag(place: Place, text: str, at: int) -> tuple[Place, int]:
    if text[at] == ">":
        code = place.element in CODE_ELEMENTS
        return (Place("raw", raw=place.element) if code else Place()), at + 1
    if text[at] == "=" and place.attribute:
        return replace(place, state="after_name"), at + 1
    name = _NAME.match(text, at)
    if name is None:
        blank = text[at].isspace()
        return (place if blank else replace(place, attribute="")), at + 1
    return replace(place, attribute=name[0].lower()), name.end()


def _after_name(place: Place, text: str, at: int) -> tuple[Place, int]:
    blank = _BLANK.match(text, at)
    end = blank.end() if blank else at
    if end == len(text):
        return place, end
    if text[end] in "\"'":
        return replace(place, state="value", quote=text[end], value=""), end + 1
    return replace(place, state="value", quote="", value=""), end


def _in_value(place: Place, text: str, at: int) -> tuple[Place, int]:
    if place.quote:
        end = text.find(place.quote, at)
        if end < 0:
            return replace(place, value=place.value + text[at:]), len(text)
        return Place("tag", place.element), end + 1
    found = _UNQUOTED.match(text, at)
    end = found.end() if found else at
    return (replace(place, value=place.value + text[at:]) if end == len(text) else Place("tag", place.element)), end


_STEPS = {
    "text": _in_text,
    "comment": _in_comment,
    "raw": _in_raw,
    "tag": _in_tag,
    "after_name": _after_name,
    "value": _in_value,
}
