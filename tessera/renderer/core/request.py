"""One request for fragments, as the core sees it: the few things that decisions may depend on.

Names and values come from the wire, untrusted. Header names are lower-case; of a header sent twice the last one
counts; cookies follow RFC 6265, section 5.4, and of a cookie sent twice the first one counts, as browsers send
the more specific first.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Self

NONE: Mapping[str, str] = MappingProxyType({})


class Request(NamedTuple):
    """Who asks, as the wire has it: headers, and the cookies among them."""

    headers: Mapping[bytes, bytes] = MappingProxyType({})
    cookies: Mapping[str, str] = NONE

    @classmethod
    def of(cls, headers: Mapping[bytes, bytes]) -> Self:
        """Read the cookies among the headers."""
        return cls(headers, cookies_in(headers.get(b"cookie")))

    def header(self, name: bytes) -> str | None:
        """Return a header's value, None where it was not sent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


def cookies_in(header: bytes | None) -> Mapping[str, str]:
    """Read a Cookie header."""
    if not header:
        return NONE
    cookies: dict[str, str] = {}
    for pair in header.decode("latin-1").split(";"):
        name, _, value = pair.partition("=")
        cookies.setdefault(name.strip(), value.strip())
    return cookies
