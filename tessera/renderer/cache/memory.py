"""The fragment cache of one process: content-addressed, bounded in bytes, its room given out by S3-FIFO.

Yang, Zhang, Qiu, Yue and Rashmi, "FIFO queues are all you need for cache eviction", SOSP 2023. An entry begins in a
small queue. If nobody asks for it there it goes, and leaves a ghost; otherwise, or if it comes back while its ghost is
remembered, it goes into the main queue, from which it is dropped when a whole round went by without anybody asking. So
what is asked for once, as a scan does, takes a tenth of the room at most, and a hit moves nothing.
"""

from array import array
from collections import deque
from collections.abc import Sequence

from tessera.renderer.cache.base import Fragment
from tessera.renderer.core.tags import EVERYTHING, Tag

ENTRY_OVERHEAD_BYTES = 350
"""Bytes that an entry costs beyond its HTML and its list of tags, with its share of tables and ghosts: as measured by
`benchmarks/fragment_cache.py`, rounded up."""

TAG_BYTES = 8
"""Bytes that each tag costs: fragments share the strings."""

SMALL_SHARE = 0.1
"""Share of the room for entries that nobody has asked for again."""


class MemoryCache:
    """Fragments by key, in at most ``max_bytes``."""

    def __init__(self, max_bytes: int) -> None:
        """``max_bytes`` of 0 turns the cache off."""
        self._max_bytes = max_bytes
        self._entries: dict[bytes, Fragment] = {}
        self._asked_for: set[bytes] = set()
        self._small: deque[bytes] = deque()
        self._main: deque[bytes] = deque()
        self._small_bytes = self._main_bytes = 0
        self._ghosts = array("q", [0])

    def get(self, key: bytes) -> Fragment | None:
        """Return the entry of a key, None on a miss."""
        fragment = self._entries.get(key)
        if fragment is not None:
            self._asked_for.add(key)
        return fragment

    def put(self, key: bytes, fragment: Fragment) -> None:
        """Keep an entry, unless it alone is larger than the whole cache."""
        size = _size(fragment)
        if size > self._max_bytes or key in self._entries:
            return
        self._entries[key] = fragment
        if self._ghosts[hash(key) % len(self._ghosts)] == hash(key):
            self._main.append(key)
            self._main_bytes += size
        else:
            self._small.append(key)
            self._small_bytes += size
        while self.size_bytes > self._max_bytes:
            self._evict()

    def purge(self, tags: frozenset[Tag]) -> int:
        """Drop every entry that has one of the tags, and return how many those were. Looks at all of them."""
        whole = EVERYTHING in tags
        doomed = [key for key, each in self._entries.items() if whole or not tags.isdisjoint(each.tags)]
        for key in doomed:
            del self._entries[key]
            self._asked_for.discard(key)
        if doomed:
            self._small, self._small_bytes = self._left_of(self._small)
            self._main, self._main_bytes = self._left_of(self._main)
        return len(doomed)

    @property
    def size_bytes(self) -> int:
        """Bytes held now."""
        return self._small_bytes + self._main_bytes

    def __len__(self) -> int:
        return len(self._entries)

    def _evict(self) -> None:
        """Take the oldest key from the queue whose turn it is; its entry goes, unless it was asked for meanwhile."""
        small = self._small_bytes > self._max_bytes * SMALL_SHARE or not self._main
        key = (self._small if small else self._main).popleft()
        size = _size(self._entries[key])
        if small:
            self._small_bytes -= size
        else:
            self._main_bytes -= size
        if key in self._asked_for:
            self._asked_for.remove(key)
            self._main.append(key)
            self._main_bytes += size
            return
        del self._entries[key]
        if small:
            self._leave_ghost(hash(key))

    def _leave_ghost(self, ghost: int) -> None:
        """Remember what went from the small queue, in a table of about as many as there are entries.

        A ghost lies where its hash says, over the one that was there: older ones are thus forgotten at random, and one
        costs 8 bytes instead of the 150 of a set and a queue, for the same hit ratio.
        """
        if len(self._ghosts) < len(self._entries):
            self._ghosts = array("q", bytes(16 * len(self._entries)))
        self._ghosts[ghost % len(self._ghosts)] = ghost

    def _left_of(self, queue: Sequence[bytes]) -> tuple[deque[bytes], int]:
        left = deque(key for key in queue if key in self._entries)
        return left, sum(_size(self._entries[key]) for key in left)


def _size(fragment: Fragment) -> int:
    return len(fragment.body) + ENTRY_OVERHEAD_BYTES + TAG_BYTES * len(fragment.tags)
