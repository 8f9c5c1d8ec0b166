"""Assets: the style sheets, scripts, fonts and images that a fragment needs of the page around it.

They are stated in templates, so they are known before anybody asks. A page loads each of them once, and is
announced to browsers by `Link` (RFC 8288; WHATWG HTML, "Link type preload").
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal, NamedTuple

Kind = Literal["style", "script", "module", "font", "image"]

SUFFIXES: Mapping[str, Kind] = {
    ".css": "style",
    ".js": "script",
    ".mjs": "module",
    ".woff2": "font",
    **dict.fromkeys((".avif", ".webp", ".jpg", ".jpeg", ".png", ".gif", ".svg"), "image"),
}
_ADDRESS = re.compile(
    r"(?P<origin>https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?)?"
    r"/(?!/)(?P<path>[\w\-.~%@+/]*(?P<suffix>\.[a-z0-9]+))(?:\?[\w\-.~%@+/=&]*)?",
    re.ASCII,
)
_MARKUP: Mapping[Kind, str] = {
    "style": '<link rel="stylesheet" href="{}">',
    "script": '<script src="{}" defer></script>',
    "module": '<script type="module" src="{}"></script>',
}
_PRELOAD: Mapping[Kind, str] = {
    "style": "rel=preload; as=style",
    "script": "rel=preload; as=script",
    "module": "rel=modulepreload",
    "font": "rel=preload; as=font; crossorigin",
    "image": "rel=preload; as=image",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset. ``address`` is a path on the site, or begins with ``origin``, a scheme and a host."""

    kind: Kind
    address: str
    origin: str | None = None


class Head(NamedTuple):
    """What assets come to on a page: markup for its head, and the value of `Link`; both empty where there are none."""

    markup: bytes = b""
    link: bytes = b""


NO_HEAD = Head()


def asset_of(address: str) -> Asset | None:
    """Return the asset at an address, which says of which kind it is by its suffix; None where that is none."""
    found = _ADDRESS.fullmatch(address)
    kind = SUFFIXES.get(found["suffix"]) if found else None
    return Asset(kind, address, found["origin"]) if found and kind else None


def head_of(assets: Iterable[Asset]) -> Head:
    """Return what a page of these assets has, each once, in the order of their first mention."""
    once = list(dict.fromkeys(assets))
    markup = "".join(_MARKUP[each.kind].format(escape(each.address)) + "\n" for each in once if each.kind in _MARKUP)
    return Head(markup.encode(), ", ".join(f"<{each.address}>; {_PRELOAD[each.kind]}" for each in once).encode())


def link_of(assets: Iterable[Asset]) -> bytes:
    """Return the value of `Link` for a fragment alone: its style sheets as such, for whoever includes it."""
    once = dict.fromkeys(assets)
    told = {each: "rel=stylesheet" if each.kind == "style" else _PRELOAD[each.kind] for each in once}
    return ", ".join(f"<{asset.address}>; {relation}" for asset, relation in told.items()).encode()
