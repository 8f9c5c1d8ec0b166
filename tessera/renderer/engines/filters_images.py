"""Filters that ask for pictures in sizes: an image service finds the size in the query of the address."""

import re
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from tessera.renderer.engines.filter_arguments import FilterFault, integer_of, text_of

MAX_PIXELS = 10_000
MAX_SIZES = 12
MAX_URL_LENGTH = 2_000
_SAFE = "%/:?#[]@!$&()*+,;="
_NO_ADDRESS = re.compile(r"[\x00-\x1f\x7f\\]|^[\s,]|\s$")


def image_url(value: object, *, width: object = None, height: object = None) -> str:
    """Write the address of a picture in a size: `{{ item.image | image_url: width: 640 }}`.

    `width` and `height`, 1 to 10,000 pixels, become parameters of the address, in place of any that are there. The
    address is one of this site or of http or https.
    """
    if value is None or value == "":
        return ""
    sizes = (("width", width), ("height", height))
    return _sized(text_of(value), tuple((name, _pixels(size, name)) for name, size in sizes if size is not None))


def srcset(value: object, widths: object) -> str:
    """Write what the attribute `srcset` takes: `{{ item.image | srcset: "320,640,960" }}` (HTML, 4.8.4.2.1)."""
    if value is None or value == "":
        return ""
    named = text_of(widths).split(",", MAX_SIZES)
    if len(named) > MAX_SIZES:
        raise FilterFault(f"`srcset` takes at most {MAX_SIZES} widths")
    pixels = [_pixels(width.strip(), "srcset") for width in named]
    return ", ".join(f"{_sized(text_of(value), (('width', width),))} {width}w" for width in pixels)


def _pixels(size: object, name: str) -> int:
    pixels = integer_of(size, name)
    if not 1 <= pixels <= MAX_PIXELS:
        raise FilterFault(f"`{name}` is 1 to {MAX_PIXELS:,} pixels")
    return pixels


@lru_cache(maxsize=4096)
def _sized(url: str, sizes: tuple[tuple[str, int], ...]) -> str:
    if len(url) > MAX_URL_LENGTH or _NO_ADDRESS.search(url):
        raise FilterFault(f"`{url[:40]}` is no address of a picture")
    try:
        parts = urlsplit(quote(url, safe=_SAFE))
    except ValueError:
        raise FilterFault(f"`{url[:40]}` is no address of a picture") from None
    if parts.scheme not in ("", "http", "https"):
        raise FilterFault(f"a picture is loaded over https, not by `{parts.scheme}:`")
    if not sizes:
        return urlunsplit(parts)
    replaced = [name for name, _ in sizes]
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in replaced]
    return urlunsplit(parts._replace(query=urlencode([*kept, *sizes], quote_via=quote)))
