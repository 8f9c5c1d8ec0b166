"""What is rendered with marks, where other fragments go: a page's layout, and what has fragments nested in it.

So each is cached like any fragment, whatever goes into it. Data cannot forge a mark: in rendered text every ``<`` that
comes from data is escaped.
"""

import re
from collections.abc import Mapping

_SLOT = re.compile(rb"<!--tessera:slot:([a-z0-9_-]+)-->")
_HEAD_ENDS = re.compile(rb"</head\s*>|<body[\s>]", re.IGNORECASE)
_DOCTYPE = re.compile(rb"\s*<!doctype[^>]*>\n?", re.IGNORECASE)
_NESTED = re.compile(rb"<!--tessera:fragment:([a-z0-9_-]+)-->")


def mark(slot: str) -> str:
    """Return what stands in a rendered layout where a slot's fragment goes."""
    return f"<!--tessera:slot:{slot}-->"


def compose(layout: bytes, fragments: Mapping[str, bytes]) -> bytes:
    """Fill a rendered layout with its slots' fragments; a slot that is not there leaves nothing."""
    return _SLOT.sub(lambda found: fragments.get(found[1].decode(), b""), layout)


def with_head(layout: bytes, markup: bytes) -> bytes:
    """Put markup at the end of a rendered layout's head.

    Where no head is written out, it stands before everything else: parsers open one for it (WHATWG HTML, "The before
    html insertion mode").
    """
    if not markup:
        return layout
    found = _HEAD_ENDS.search(layout)
    begins = _DOCTYPE.match(layout)
    place = found.start() if found else begins.end() if begins else 0
    return layout[:place] + markup + layout[place:]


def parts(layout: bytes) -> tuple[list[bytes], list[str]]:
    """Return what stands between the slots of a rendered layout, one text more than slots, and the slots in order."""
    split = _SLOT.split(layout)
    return split[::2], [slot.decode() for slot in split[1::2]]


def nested_mark(name: str) -> str:
    """Return what stands in a rendered fragment where one goes that is nested in it."""
    return f"<!--tessera:fragment:{name}-->"


def nested_in(body: bytes) -> list[str]:
    """Return the names of the fragments whose marks stand in a rendered one."""
    return [name.decode() for name in _NESTED.findall(body)]


def fill(body: bytes, nested: Mapping[str, bytes]) -> bytes:
    """Fill a rendered fragment with those that are nested in it; one that is not there leaves nothing."""
    return _NESTED.sub(lambda found: nested.get(found[1].decode(), b""), body)
