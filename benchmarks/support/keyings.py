"""Caches of fragments by other keys beside ours, for the same requests: who answers from the cache, and who wrongly.

An answer is wrong where its bytes differ from what a render without a cache gives that visitor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from random import Random

from support.crowd import NOW, Crowd, Request
from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.core.ports import Cart, CartLine
from tessera.renderer.fragments import Fragments
from tessera.renderer.gather import Asked, Gatherer
from tessera.renderer.pipeline import Pipeline
from tessera.rules.compile import Truth, compile_fact
from tessera.rules.facts import SEGMENT, Value

ROOM_BYTES = 1 << 30
CART_SHARE = 0.3
"""Share of the visitors who are known that have something in their cart."""


class Shoppers(Crowd):
    """A crowd of whom some have a cart, which the shop signs into their requests."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        ruleset = self.site.ruleset
        self._segments: Mapping[str, Callable[[Mapping[str, Value], datetime], Truth]] = {
            name: compile_fact(ruleset, name) for name in ruleset.segment_names() if name in ruleset.computed
        }

    def asked(self, who: int, sku: str = "") -> Asked:
        """Return a visitor's request for a page, with their cart."""
        asked, random = super().asked(who, sku), Random(-1 - who)
        if asked.context.visitor.id is None or random.random() >= CART_SHARE:
            return asked
        lines = [CartLine(random.choice([*self._sold]), 1) for _ in range(random.randint(1, 3))]
        value = sum(int(self._sold[line.sku]["price"]["amount"]) for line in lines)
        return asked._replace(cart=asked.declared.cart(Cart(tuple(lines), value, "EUR")))

    def segments(self, asked: Asked) -> frozenset[str]:
        """Return the segments that a visitor is in, those that the rules work out among them."""
        if asked.context.visitor.id is None:
            return frozenset()
        told = self.profile(asked.context.visitor.id)
        facts = {**asked.context.facts.facts, **asked.declared.profile(told).coerced.facts}
        delivered = {name for name, value in facts.items() if name.startswith(SEGMENT) and value}
        return frozenset(delivered | {name for name, of in self._segments.items() if of(facts, NOW).value})


@dataclass
class Tally:
    """What came of the requests for fragments under one kind of key."""

    asked: int = 0
    hits: int = 0
    wrong: int = 0

    @property
    def hit_ratio(self) -> float:
        """Share of the requests that were answered from the cache."""
        return round(self.hits / self.asked, 4)

    def count(self, *, hit: bool, right: bool) -> None:
        """Count an answer."""
        self.asked += 1
        self.hits += hit
        self.wrong += not right


@dataclass(frozen=True)
class Tallies:
    """The three kinds of key: derived, (slot, segment) and (slot, visitor)."""

    derived: Tally
    per_segment: Tally
    per_visitor: Tally


async def compare(crowd: Shoppers, count: int) -> Tallies:
    """Answer requests from a cache of each kind, none of which ever lets go of anything.

    A slot stands for its URL, with the page's parameters. Segments are all that the site knows, and beside them stands
    the locale, without which pages would come in the wrong language. Fragments that show nothing are not counted.
    """
    cached = Pipeline(Gatherer(crowd.sources()), Fragments(MemoryCache(ROOM_BYTES)))
    uncached = Pipeline(Gatherer(crowd.sources()), Fragments(MemoryCache(0)))
    right: dict[object, bytes | None] = {}
    declared: dict[object, bytes] = {}
    segments: dict[int, frozenset[str]] = {}
    tallies = Tallies(Tally(), Tally(), Tally())
    for request in crowd.requests(count):
        asked_by = request.what, request.who
        if asked_by not in right:
            right[asked_by] = await _body(uncached, request)
        if (expected := right[asked_by]) is None:
            continue
        answer = await cached.slot(request.asked, request.plan)
        tallies.derived.count(hit=answer.found == "memory", right=_digest(answer.fragment.body) == expected)
        if request.who not in segments:
            segments[request.who] = crowd.segments(request.asked)
        by_segment = request.what, segments[request.who], request.asked.context.locale
        for tally, key in ((tallies.per_segment, by_segment), (tallies.per_visitor, asked_by)):
            tally.count(hit=key in declared, right=declared.setdefault(key, expected) == expected)
    return tallies


async def _body(pipeline: Pipeline, request: Request) -> bytes | None:
    answer = await pipeline.slot(request.asked, request.plan)
    return None if answer.key is None else _digest(answer.fragment.body)


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()
