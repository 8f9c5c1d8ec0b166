"""How much the fragment cache saves, against the least that there is to render, and what an entry and a hit cost.

Requests by a hundred thousand visitors of the demo shop, drawn by Zipf's law, go through the pipeline. The ideal is
counted without our keys: all that these visitors get is rendered without a cache, and whatever bytes are new among it
must be rendered by any cache. That takes most of the time; `--requests 1000000` is for a machine of one's own.
"""

import argparse
import asyncio
import gc
import json
import logging
import time
import tracemalloc
from hashlib import blake2b

from support.crowd import Crowd

from tessera.renderer.cache.base import Fragment
from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.core.inputs import Gathered
from tessera.renderer.core.tags import EVERYTHING
from tessera.renderer.fragments import Fragments, rendered
from tessera.renderer.gather import Gatherer
from tessera.renderer.pipeline import Pipeline
from tessera.renderer.plans import OutcomePlan

VISITORS = 100_000
REQUESTS = 100_000
ROOM_BYTES = 1 << 30
AT_ONCE = 1_000
HITS = 2_000
COPIES = 40
ROUNDS = 31


class Counting(Fragments):
    """Counts renders, and remembers some of what was asked for."""

    def __init__(self, memory: MemoryCache) -> None:
        super().__init__(memory)
        self.memory = memory
        self.renders = 0
        self.asked: list[tuple[OutcomePlan, Gathered]] = []

    def at_hand(self, key: bytes, plan: OutcomePlan, gathered: Gathered) -> Fragment | None:
        if len(self.asked) < HITS:
            self.asked.append((plan, gathered))
        return super().at_hand(key, plan, gathered)

    def _render(self, key: bytes, plan: OutcomePlan, gathered: Gathered, purges: int) -> Fragment:
        self.renders += 1
        return super()._render(key, plan, gathered, purges)


async def run(crowd: Crowd, count: int) -> tuple[Counting, int]:
    """Let requests go through the pipeline; return the cache, and how many were for a fragment at all."""
    fragments = Counting(MemoryCache(ROOM_BYTES))
    pipeline = Pipeline(Gatherer(crowd.sources()), fragments)
    shown = 0
    for request in crowd.requests(count):
        answer = await pipeline.slot(request.asked, request.plan)
        shown += answer.key is not None
    return fragments, shown


async def ideal(crowd: Crowd, count: int) -> int:
    """Return how many different fragments the requests come to, each rendered without a cache."""
    pipeline = Pipeline(Gatherer(crowd.sources()), Fragments(MemoryCache(0)))
    different: set[bytes] = set()
    seen: set[tuple[int, tuple[str, str, str]]] = set()
    for request in crowd.requests(count):
        if (request.who, request.what) not in seen:
            seen.add((request.who, request.what))
            answer = await pipeline.slot(request.asked, request.plan)
            if answer.key is not None:
                different.add(blake2b(answer.fragment.body, digest_size=16).digest())
    return len(different)


async def cold(crowd: Crowd, *, visitors: int) -> tuple[int, int]:
    """Ask at once for one fragment that is not there; return how often it was rendered, and profiles asked for."""
    fragments = Counting(MemoryCache(ROOM_BYTES))
    pipeline = Pipeline(Gatherer(crowd.sources()), fragments)
    page = crowd.site.pages["home"]
    known = [who for who in range(10 * AT_ONCE) if _consenting_alike(crowd, who)][:visitors]
    if visitors > 1:
        await asyncio.gather(*(pipeline.slot(crowd.asked(who), page.slots["hero"]) for who in known))
        fragments.purge(frozenset((EVERYTHING,)))
    fragments.renders = crowd.calls = 0
    asked = [crowd.asked(known[number % visitors]) for number in range(AT_ONCE)]
    slot = page.slots["newsletter"]  # decided by the profile, and the same for whoever is not a subscriber
    answers = await asyncio.gather(*(pipeline.slot(each, slot) for each in asked))
    assert len({answer.fragment.body for answer in answers}) == 1
    return fragments.renders, crowd.calls


def _consenting_alike(crowd: Crowd, who: int) -> bool:
    context = crowd.asked(who).context
    return context.locale == "en" and context.visitor.id is not None and not _subscribes(crowd, who)


def _subscribes(crowd: Crowd, who: int) -> bool:
    return bool(crowd.profile(str(who)).traits.get("newsletter"))


def overhead_bytes(fragments: Counting) -> float:
    """Return what an entry holds beyond its HTML, in a cache that is full, tags and ghosts and all."""
    entries = {plan.inputs.key(gathered): rendered(plan, gathered) for plan, gathered in fragments.asked}
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    cache = MemoryCache(COPIES // 2 * sum(len(each.body) for each in entries.values()))
    for copy in range(COPIES):
        shared = {each.tags: (*each.tags,) for each in entries.values()}
        for key, each in entries.items():
            cache.put(_another(key, copy), Fragment.of(bytes(bytearray(each.body)), shared[each.tags]))
            if copy % 2:
                cache.get(_another(key, copy))
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    kept = [cache.get(_another(key, copy)) for copy in range(COPIES) for key in entries]
    return (held - sum(len(each.body) for each in kept if each is not None)) / len(cache)


def _another(key: bytes, copy: int) -> bytes:
    return blake2b(key, digest_size=len(key), salt=b"%d" % copy).digest()


def hit_us(fragments: Counting) -> float:
    """Return what a hit costs beyond its decision, in the best of some rounds: its key, and the look-up by it."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for plan, gathered in fragments.asked:
            Fragments.at_hand(fragments, plan.inputs.key(gathered), plan, gathered)
        rounds.append(time.perf_counter() - began)
    return min(rounds) / len(fragments.asked) * 1e6


def main() -> None:
    """Measure, print a table, and one JSON line."""
    options = argparse.ArgumentParser()
    options.add_argument("--requests", type=int, default=REQUESTS)
    count = options.parse_args().requests
    logging.getLogger("tessera").setLevel(logging.ERROR)
    crowd = Crowd(VISITORS)
    fragments, shown = asyncio.run(run(crowd, count))
    least = asyncio.run(ideal(crowd, count))
    by_one, calls = asyncio.run(cold(crowd, visitors=1))
    by_many, _ = asyncio.run(cold(crowd, visitors=AT_ONCE))
    figures = {
        "hit_ratio": round(1 - fragments.renders / shown, 4),
        "ideal_hit_ratio": round(1 - least / shown, 4),
        "renders_for_1000_cold": max(by_one, by_many),
        "overhead_bytes_per_entry": round(overhead_bytes(fragments)),
        "hit_us": round(hit_us(fragments), 2),
    }
    print(f"{shown:,} fragments shown: {fragments.renders:,} renders, where {least:,} came out differently")
    print(f"1,000 at once for a cold key: {by_one} render and {calls} call upstream for one visitor,")
    print(f"    {by_many} render for 1,000 visitors whose profiles are at hand")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
