"""Which entries to keep: the share of requests that find theirs, by S3-FIFO as we have it and by LRU, on equal traces.

The room is 2 % and 10 % of the bytes of everything that a trace asks for; sizes are those of fragments.
"""

import json
from collections.abc import Sequence
from random import Random

from cachetools import LRUCache
from support.traces import traces

from tessera.renderer.cache.base import Fragment
from tessera.renderer.cache.memory import ENTRY_OVERHEAD_BYTES, MemoryCache

SHARES = (0.02, 0.1)
LARGEST_BYTES = 60_000
BODY = bytes(LARGEST_BYTES)


def sizes(trace: Sequence[int]) -> dict[int, int]:
    """Draw the size of what each number stands for, in bytes: 2 kB in the middle."""
    random = Random(9)
    return {each: int(min(LARGEST_BYTES, random.lognormvariate(7.6, 0.8))) for each in dict.fromkeys(trace)}


def s3_fifo(trace: Sequence[int], size: dict[int, int], room: int) -> float:
    """Return the share of hits of the cache that Tessera has."""
    cache, hits = MemoryCache(room), 0
    keys = {each: b"%020d" % each for each in size}
    for each in trace:
        key = keys[each]
        if cache.get(key) is not None:
            hits += 1
        else:
            cache.put(key, Fragment(BODY[: size[each]], b""))
    return hits / len(trace)


def lru(trace: Sequence[int], size: dict[int, int], room: int) -> float:
    """Return the share of hits where the least recently used one goes."""
    cache: LRUCache[int, int] = LRUCache(room, getsizeof=lambda bytes_: bytes_ + ENTRY_OVERHEAD_BYTES)
    hits = 0
    for each in trace:
        if cache.get(each) is not None:
            hits += 1
        elif size[each] <= room:
            cache[each] = size[each]
    return hits / len(trace)


def main() -> None:
    """Measure, print a table, and one JSON line."""
    gains = []
    print(f"{'':24}{'room':>6}{'LRU':>8}{'S3-FIFO':>9}")
    for name, trace in traces():
        size = sizes(trace)
        for share in SHARES:
            room = int(share * sum(each + ENTRY_OVERHEAD_BYTES for each in size.values()))
            plain, ours = lru(trace, size, room), s3_fifo(trace, size, room)
            gains.append(ours - plain)
            print(f"{name:24}{share:6.0%}{plain:8.3f}{ours:9.3f}")
    print(json.dumps({"hit_ratio_over_lru_min": round(min(gains), 3), "hit_ratio_over_lru_max": round(max(gains), 3)}))


if __name__ == "__main__":
    main()
