"""A fragment as it lies in Redis: `digest (16) | how (1) | stamp (16) | body`, the body compressed where that pays.

The digest takes in the key and everything after it, so what was cut short, mixed up or written by something else is a
miss and not a page.
"""

import zlib
from hashlib import blake2b

DIGEST_BYTES = 16
STAMP_BYTES = 16
COMPRESSED_FROM_BYTES = 1024
"""Size from which a body is compressed, by zlib's fastest: HTML of that size comes to under half, in some 40 µs."""

PLAIN, DEFLATED = b"p", b"z"


def stamp_of(names: list[object]) -> bytes:
    """Return what stands for the purges that were known of at some moment."""
    return blake2b(repr(names).encode(), digest_size=STAMP_BYTES).digest()


def pack(key: bytes, stamp: bytes, body: bytes) -> bytes:
    """Return what is stored of a fragment."""
    how, packed = PLAIN, body
    if len(body) >= COMPRESSED_FROM_BYTES:
        how, packed = DEFLATED, zlib.compress(body, 1)
    rest = how + stamp + packed
    return _digest(key, rest) + rest


def unpack(key: bytes, stamp: bytes, stored: bytes) -> bytes | None:
    """Return the body; None where it was stored under another stamp, or is not what was stored."""
    digest, rest = stored[:DIGEST_BYTES], stored[DIGEST_BYTES:]
    how, stamped, packed = rest[:1], rest[1 : 1 + STAMP_BYTES], rest[1 + STAMP_BYTES :]
    if stamped != stamp or digest != _digest(key, rest):
        return None
    return zlib.decompress(packed) if how == DEFLATED else packed


def _digest(key: bytes, rest: bytes) -> bytes:
    return blake2b(rest, digest_size=DIGEST_BYTES, key=key).digest()
