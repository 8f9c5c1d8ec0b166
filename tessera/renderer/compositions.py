"""Fragments filled with those that are nested in them, remembered by what went into them."""

from collections.abc import Mapping

from cachetools import LRUCache

from tessera.renderer.cache.base import Fragment
from tessera.renderer.core.layout import fill

MAX_BYTES = 8_000_000
"""Room for what is remembered in one process: putting it together again costs some microseconds."""

ENTRY_BYTES = 400


class Compositions:
    """What some fragments make up together. A pure function of their entity tags, which stand for their bytes."""

    def __init__(self) -> None:
        self._known: LRUCache[tuple[object, ...], Fragment] = LRUCache(MAX_BYTES, getsizeof=_size)

    def of(self, outer: Fragment, nested: Mapping[str, Fragment]) -> Fragment:
        """Return a fragment filled with others by the names of their marks; a mark without one leaves nothing."""
        key = (outer.etag, *((name, fragment.etag) for name, fragment in nested.items()))
        found = self._known.get(key)
        if found is None:
            found = Fragment.of(fill(outer.body, {name: fragment.body for name, fragment in nested.items()}))
            if _size(found) <= self._known.maxsize:
                self._known[key] = found
        return found


def _size(fragment: Fragment) -> int:
    return len(fragment.body) + ENTRY_BYTES
