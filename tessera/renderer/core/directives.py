"""Orders to a proxy: server side includes (nginx, Apache) and edge side includes (Varnish, CDNs).

A proxy that composes pages reads whole documents, so it would obey an order inside a fragment just as one in the page.
"""

import re

DIRECTIVES = re.compile("<!--#|<!--esi|</?esi:")
"""Where an order begins, in small letters only.

Sources: nginx, "ngx_http_ssi_module"; Apache, "mod_include"; W3C Note "ESI Language Specification 1.0".
"""


_BEGINNINGS = ("<!--#", "<!--esi", "<esi:", "</esi:")
_HALVES = tuple(sorted({order[:end] for order in _BEGINNINGS for end in range(1, len(order))}, key=len, reverse=True))
_HALF = re.compile(rf"(?:{'|'.join(map(re.escape, _HALVES))})(?=<!--tessera:|\Z)")
"""The first half of an order, where something else is put behind it: at a mark (see `core.layout`), and at the end."""


def without_directives(html: str) -> str:
    """Return a fragment in which no proxy finds an order, nor in whatever it is put together with that has none.

    What begins an order becomes a plain comment, or text; behind half a beginning comes a blank. Escaping alone does
    not do it: a value inside of a comment (`<!--{{ name }}-->`) needs no `<` to become an order.
    """
    if "<!--" not in html and "esi:" not in html and not html.endswith(_HALVES):
        return html
    return _HALF.sub(lambda half: half[0] + " ", DIRECTIVES.sub(_harmless, html))


def _harmless(found: re.Match[str]) -> str:
    order = found[0]
    return "<!-- " + order[4:] if order.startswith("<!--") else "&lt;" + order[1:]
