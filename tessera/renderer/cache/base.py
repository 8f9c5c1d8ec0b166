"""What is cached, and what a fragment cache is."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

ETAG_BYTES = 12


@dataclass(frozen=True, slots=True)
class Fragment:
    """The rendered HTML of a slot, as sent, with its entity tag (RFC 9110, section 8.8.3)."""

    body: bytes
    etag: bytes

    @staticmethod
    def of(body: bytes) -> "Fragment":
        """Make the fragment of these bytes, with a strong entity tag."""
        return Fragment(body, b'"%s"' % blake2b(body, digest_size=ETAG_BYTES).hexdigest().encode())


FALL_BACK = Fragment.of(b"<!--tessera:fallback-->")
"""Kept for a template that asked for the default of its slot instead of a fragment; is never sent."""


class FragmentCache(Protocol):
    """Entries by content key. An entry is a pure function of its key, so it is never stale."""

    def get(self, key: bytes) -> Fragment | None:
        """Return the entry of a key, None on a miss."""
        ...

    def put(self, key: bytes, fragment: Fragment) -> None:
        """Keep an entry; the cache may decline."""
        ...
