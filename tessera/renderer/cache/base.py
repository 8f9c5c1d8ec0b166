"""What is cached, and what the levels of the fragment cache are."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple, Protocol

from tessera.renderer.core.tags import Tag

ETAG_BYTES = 12

Command = Sequence[str | bytes | int | float]
"""A command of Redis with its arguments."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """The rendered HTML of a slot, as sent, with its entity tag (RFC 9110, section 8.8.3) and its cache tags."""

    body: bytes
    etag: bytes
    tags: tuple[Tag, ...] = ()

    @staticmethod
    def of(body: bytes, tags: tuple[Tag, ...] = ()) -> "Fragment":
        """Make the fragment of these bytes, with a strong entity tag."""
        return Fragment(body, b'"%s"' % b64encode(blake2b(body, digest_size=ETAG_BYTES).digest()), tags)


FALL_BACK = Fragment.of(b"<!--tessera:fallback-->")
"""Kept for a template that asked for the default of its slot instead of a fragment; is never sent."""


class FragmentCache(Protocol):
    """The first level, in this process: entries by content key. One is a pure function of its key, so never stale."""

    def get(self, key: bytes) -> Fragment | None:
        """Return the entry of a key, None on a miss."""
        ...

    def put(self, key: bytes, fragment: Fragment) -> None:
        """Keep an entry; the cache may decline."""
        ...

    def purge(self, tags: frozenset[Tag]) -> int:
        """Drop every entry that has one of the tags, and return how many those were."""
        ...


class Claim(NamedTuple):
    """What the second level answered: the body that it holds, or None for whoever is to render it now.

    ``stamp`` names the purges that it knew of by then; what is rendered now is kept under it.
    """

    body: bytes | None
    stamp: bytes


class SharedFragments(Protocol):
    """The second level, shared by processes. What fails there raises `Away`, and each goes on alone."""

    @property
    def away(self) -> bool:
        """Tell whether it failed a moment ago, so that nothing is asked now."""
        ...

    async def claim(self, key: bytes, tags: tuple[Tag, ...]) -> Claim:
        """Look a key up; where another process renders it, wait for that, within a bound. Raises `Away`."""
        ...

    def keep(self, key: bytes, claim: Claim, body: bytes) -> None:
        """Store what was rendered for a claim, later; it may be declined."""
        ...

    def give_up(self, key: bytes) -> None:
        """Say, later, that a claimed key is not going to be kept."""
        ...

    async def purge(self, tags: frozenset[Tag]) -> None:
        """Return once nothing with one of the tags, as it was until now, will be found. Raises `Away`."""
        ...

    async def close(self) -> None:
        """Store what is still to be stored, and end."""
        ...


class Connection(Protocol):
    """A connection to Redis."""

    @property
    def away(self) -> bool:
        """Tell whether it failed a moment ago, so that nothing is asked now."""
        ...

    async def run(self, commands: Sequence[Command]) -> list[object]:
        """Send commands in one round trip and return their answers, as bytes, in order. Raises `Away`."""
        ...
