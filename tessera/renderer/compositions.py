"""Fragments filled with those that are nested in them, remembered by what went into them."""

from collections.abc import Mapping

from cachetools import LRUCache

from tessera.renderer.cache.base import Fragment
from tessera.renderer.core.directives import without_directives
from tessera.renderer.core.layout import fill

MAX_BYTES = 8_000_000
"""Room for what is remembered in one process: putting it together again costs some microseconds."""

ENTRY_BYTES = 400


class Compositions:
    """What some fragments make up together: a function of their entity tags, which stand for bytes, and their tags."""

    def __init__(self) -> None:
        self._known: LRUCache[tuple[object, ...], Fragment] = LRUCache(MAX_BYTES, getsizeof=_size)

    def of(self, outer: Fragment, nested: Mapping[str, Fragment]) -> Fragment:
        """Return a fragment filled with others by the names of their marks; a mark without one leaves nothing."""
        key = (outer.etag, outer.tags, *((name, fragment.etag, fragment.tags) for name, fragment in nested.items()))
        found = self._known.get(key)
        if found is None:
            tags = dict.fromkeys(tag for fragment in (outer, *nested.values()) for tag in fragment.tags)
            body = fill(outer.body, {name: fragment.body for name, fragment in nested.items()})
            # None of them holds an order for a proxy, but two that meet could make one.
            found = Fragment.of(without_directives(body.decode()).encode(), tuple(tags))
            if _size(found) <= self._known.maxsize:
                self._known[key] = found
        return found


def _size(fragment: Fragment) -> int:
    return len(fragment.body) + ENTRY_BYTES
