"""The fragment cache of one process: content-addressed, bounded in bytes."""

from cachetools import LRUCache

from tessera.renderer.cache.base import Fragment

ENTRY_OVERHEAD_BYTES = 300
"""Bytes that an entry costs beyond its HTML: key, object, entity tag and table slots, as measured and rounded up."""


class MemoryCache:
    """Fragments by key, least recently used out first once ``max_bytes`` would be exceeded."""

    def __init__(self, max_bytes: int) -> None:
        """``max_bytes`` of 0 turns the cache off."""
        self._entries: LRUCache[bytes, Fragment] = LRUCache(max_bytes, getsizeof=_size)

    def get(self, key: bytes) -> Fragment | None:
        """Return the entry of a key, None on a miss."""
        try:
            return self._entries[key]
        except KeyError:
            return None

    def put(self, key: bytes, fragment: Fragment) -> None:
        """Keep an entry, unless it alone is larger than the whole cache."""
        if _size(fragment) <= self._entries.maxsize:
            self._entries[key] = fragment

    def purge(self, tags: frozenset[str]) -> int:
        """Let go of those that carry one of the tags: of all, as entries carry none yet."""
        gone = len(self) if tags else 0
        if gone:
            self.clear()
        return gone

    def clear(self) -> None:
        """Let go of all."""
        self._entries.clear()

    @property
    def size_bytes(self) -> int:
        """Bytes held now."""
        return int(self._entries.currsize)

    def __len__(self) -> int:
        return len(self._entries)


def _size(fragment: Fragment) -> int:
    return len(fragment.body) + ENTRY_OVERHEAD_BYTES
