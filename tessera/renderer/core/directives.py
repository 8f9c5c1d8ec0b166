"""Orders to a proxy: server side includes (nginx, Apache) and edge side includes (Varnish, CDNs).

A proxy that composes pages reads whole documents, so it would obey an order inside a fragment just as one in the page.
"""

import re

DIRECTIVES = re.compile("<!--#|<!--esi|</?esi:")
"""Where an order begins, in small letters only.

Sources: nginx, "ngx_http_ssi_module"; Apache, "mod_include"; W3C Note "ESI Language Specification 1.0".
"""


def without_directives(html: str) -> str:
    """Return a fragment in which no proxy finds an order: what begins one becomes a plain comment, or text.

    Escaping alone does not do it: a value inside of a comment (`<!--{{ name }}-->`) needs no `<` to become an order.
    """
    if "<!--" not in html and "esi:" not in html:
        return html
    return DIRECTIVES.sub(_harmless, html)


def _harmless(found: re.Match[str]) -> str:
    order = found[0]
    return "<!-- " + order[4:] if order.startswith("<!--") else "&lt;" + order[1:]
