"""The filter for addresses that come out of data: escaping for HTML leaves `javascript:` as it is."""

import re

from tessera.renderer.engines.filter_arguments import text_of

REFUSED = "#"
SCHEMES = frozenset({"http", "https", "mailto", "sms", "tel"})
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_LEFT_OUT = re.compile(r"[\t\n\r]")
_AROUND = "".join(map(chr, range(0x21)))


def url(value: object) -> str:
    """Write an address that may begin an attribute such as `href`: `<a href="{{ item.link | url }}">`.

    It is one of this site, or begins with `http:`, `https:`, `mailto:`, `sms:` or `tel:`; any other is `#`. What
    browsers leave out before they read an address is left out before it is judged (URL Standard, "URL parsing").
    """
    if value is None:
        return ""
    address = _LEFT_OUT.sub("", text_of(value)).strip(_AROUND)
    scheme = _SCHEME.match(address)
    return address if scheme is None or scheme[1].lower() in SCHEMES else REFUSED
