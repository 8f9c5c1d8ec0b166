"""The filter for addresses that come out of data: escaping for HTML leaves `javascript:` as it is."""

import re

from markupsafe import Markup

from tessera.renderer.engines.filter_arguments import text_of

REFUSED = "#"
SCHEMES = frozenset({"http", "https", "mailto", "sms", "tel"})
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_LEFT_OUT = re.compile(r"[\t\n\r]")
_AROUND = "".join(map(chr, range(0x21)))


def url(value: object) -> str:
    """Write an address that may begin an attribute such as `href`: `<a href="{{ item.link | url }}">`.

    It is one of this site, or begins with `http:`, `https:`, `mailto:`, `sms:` or `tel:`; any other is `#`. What
    browsers leave out before they read an address is left out before it is judged (URL Standard, "URL parsing"). What
    is markup already, such as a captured text, is read as browsers would.
    """
    if value is None:
        return ""
    read = value.unescape() if isinstance(value, Markup) else text_of(value)
    address = _LEFT_OUT.sub("", read).strip(_AROUND)
    scheme = _SCHEME.match(address)
    return address if scheme is None or scheme[1].lower() in SCHEMES else REFUSED
