"""The answers of one upstream, remembered: fresh, refreshed behind, standing in, purged.

Whoever asks gets what is at hand as long as it is good, and shares one call with all who ask for the same. A call that
began before a purge is never remembered after it, nor handed to whoever asks after it (see `fences`).
"""

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from cachetools import TTLCache

from tessera.renderer.budget import is_spent, until
from tessera.renderer.cache.coalesce import SingleFlight
from tessera.renderer.calls import Calls, Manner
from tessera.renderer.core.errors import SourceError, SourceNotAsked, SourceTimeout
from tessera.renderer.core.freshness import EARLIEST, Freshness, Lifetime, lead_s
from tessera.renderer.core.tags import EVERYTHING
from tessera.renderer.fences import Fences, Tags
from tessera.renderer.sizes import approximate_bytes

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ENTRY_BYTES = 900
"""What an entry takes beyond its value: its key, its tags, its record and its place in the table, as measured."""


class Got(NamedTuple, Generic[V]):
    """An input: its value, its age in seconds, what is left of its fresh life, and the tags by which it is purged."""

    value: V
    age_s: float
    fresh_for_s: float
    freshness: Freshness
    failure: SourceError | None = None
    tags: Tags = ()


class Arrived(NamedTuple, Generic[V]):
    """What an upstream answered: a value, the tags by which it is purged, and whether it is that there is none."""

    value: V
    tags: Tags
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """How one upstream is asked, and how much of what it says is remembered.

    ``retry_s`` is for how many seconds something that failed is not asked for again. At most ``max_refreshes`` calls
    are under way at one time that no answer waits for.
    """

    source: str
    deadline_ms: float
    lifetime: Lifetime
    max_entries: int
    max_bytes: int
    retry_s: float
    max_refreshes: int = 20
    manner: Manner = field(default_factory=Manner)


@dataclass(slots=True)
class Kept(Generic[V]):
    """An answer as it is remembered, with times on the clock of its keeper.

    ``compared`` is the count of purges up to which it is known to be clear of them.
    """

    value: V
    tags: Tags
    size_bytes: int
    compared: int
    fetched_s: float
    fetch_s: float
    fresh_until_s: float
    calm_until_s: float
    """Before this no draw can make it be fetched early, so that most look-ups draw nothing."""


class Remembered(Generic[K, V]):
    """The answers of one upstream, by key. The oldest goes first where there are too many."""

    def __init__(
        self,
        terms: Terms,
        fences: Fences,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """``clock`` gives seconds and is never set back; ``draw`` gives numbers from 0 to below 1."""
        self.calls = Calls(terms.source, terms.deadline_ms, terms.manner, clock)
        self._terms = terms
        self._fences = fences
        self._clock = clock
        self._draw = draw
        self._kept: OrderedDict[K, Kept[V]] = OrderedDict()
        self._flights: SingleFlight[tuple[K, int], Got[V]] = SingleFlight()
        self._failed: TTLCache[K, tuple[type[SourceError], str]] = TTLCache(
            terms.max_entries, terms.retry_s, timer=clock
        )
        self._refreshes = 0
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def at_hand(self, key: K) -> Got[V] | None:
        """Return an answer that is fresh and needs nothing done: what most requests come for, without waiting."""
        now_s = self._clock()
        kept = self.calm(key, now_s)
        if kept is None:
            return None
        return Got(kept.value, now_s - kept.fetched_s, kept.fresh_until_s - now_s, "fresh", None, kept.tags)

    def calm(self, key: K, now_s: float) -> Kept[V] | None:
        """Return the same as it is remembered. ``now_s`` is the moment by the clock of its keeper."""
        kept = self._kept.get(key)
        if kept is not None and kept.compared != self._fences.count:
            kept = self._current(key)
        return kept if kept is not None and now_s < kept.calm_until_s else None

    async def get(self, key: K, fetch: Callable[[], Awaitable[Arrived[V]]], about: Tags) -> Got[V]:
        """Return a good answer, asking for one if need be; on failure, one that is within its grace.

        ``about`` are tags that the answer is sure, or (a kind alone) likely to carry. Waits no longer than the request
        may; the call goes on behind it, for others who share it and for the next. Raises `SourceError` where neither is
        to be had.
        """
        kept, now_s = self._current(key), self._clock()
        if kept is not None:
            past_s = now_s - kept.fresh_until_s
            freshness = self._terms.lifetime.judge(past_s)
            if freshness in ("fresh", "refreshing"):
                if past_s + lead_s(kept.fetch_s, 1 - self._draw()) >= 0 and key not in self._failed:
                    self._refresh(key, fetch, about)
                return Got(kept.value, now_s - kept.fetched_s, max(0.0, -past_s), freshness, None, kept.tags)
        failed = self._failed.get(key)
        if failed is not None:
            kind, source = failed
            return self._stand_in(key, kind(source, "it failed a moment ago"))
        if is_spent():
            return self._stand_in(key, SourceTimeout(self._terms.source, "the time of the request is up"))
        try:
            async with asyncio.timeout_at(until()):
                return await asyncio.shield(self._flight(key, fetch, about))
        except TimeoutError:
            return self._stand_in(key, SourceTimeout(self._terms.source, "the time of the request is up"))
        except SourceError as failure:
            return self._stand_in(key, failure)

    def sweep(self, tags: frozenset[str]) -> None:
        """Let go of what a hard purge of these tags took now, instead of when it is next asked for."""
        everything = EVERYTHING in tags
        for key in [key for key, kept in self._kept.items() if everything or not tags.isdisjoint(kept.tags)]:
            self._forget(key)

    def _stand_in(self, key: K, failure: SourceError) -> Got[V]:
        """Return an answer that is within its grace. Raises the failure where there is none."""
        kept, now_s = self._current(key), self._clock()
        if kept is None or self._terms.lifetime.judge(now_s - kept.fresh_until_s) == "expired":
            raise failure
        return Got(kept.value, now_s - kept.fetched_s, 0.0, "stale", failure, kept.tags)

    def _current(self, key: K) -> Kept[V] | None:
        """Return what is remembered, compared with the purges there were since: gone by a hard one, aged by a soft."""
        kept = self._kept.get(key)
        if kept is None or kept.compared == self._fences.count:
            return kept
        if self._fences.hard_since(kept.compared, kept.tags):
            self._forget(key)
            return None
        purged_s = self._fences.soft_since(kept.compared, kept.tags)
        if purged_s is not None:
            kept.fresh_until_s = min(kept.fresh_until_s, purged_s)
            kept.calm_until_s = min(kept.calm_until_s, purged_s)
        kept.compared = self._fences.count
        return kept

    def _refresh(self, key: K, fetch: Callable[[], Awaitable[Arrived[V]]], about: Tags) -> None:
        """Fetch anew behind the answer, or leave that to a later request where enough are under way.

        So a purge of everything brings no more calls at once than this, however many ask meanwhile.
        """
        if self._refreshes < self._terms.max_refreshes and (key, self._fences.last(about)) not in self._flights:
            self._refreshes += 1
            self._flight(key, fetch, about).add_done_callback(self._refreshed)

    def _refreshed(self, _flight: object) -> None:
        self._refreshes -= 1

    def _flight(self, key: K, fetch: Callable[[], Awaitable[Arrived[V]]], about: Tags) -> "asyncio.Future[Got[V]]":
        """Return the call that is under way for this, begun now or since the last purge that could concern it."""
        return self._flights.start((key, self._fences.last(about)), lambda: self._fetch(key, fetch))

    async def _fetch(self, key: K, fetch: Callable[[], Awaitable[Arrived[V]]]) -> Got[V]:
        terms, began, began_s = self._terms, self._fences.count, self._clock()
        try:
            arrived = await self.calls.run(fetch)
        except SourceNotAsked:
            raise
        except SourceError as failure:
            self._failed[key] = type(failure), failure.source
            raise
        self._failed.pop(key, None)
        if self._fences.is_behind(began, arrived.tags):
            return Got(arrived.value, 0.0, 0.0, "fresh", None, arrived.tags)
        fetch_s = self._clock() - began_s
        fresh_s = min(terms.lifetime.fresh_s, terms.lifetime.missing_s if arrived.missing else float("inf"))
        size = ENTRY_BYTES + approximate_bytes(arrived.value)
        until_s = began_s + fresh_s
        calm_s = until_s - fetch_s * EARLIEST
        self._keep(key, Kept(arrived.value, arrived.tags, size, self._fences.count, began_s, fetch_s, until_s, calm_s))
        return Got(arrived.value, 0.0, fresh_s, "fresh", None, arrived.tags)

    def _keep(self, key: K, kept: Kept[V]) -> None:
        """Remember an answer, unless one that was asked for later is there already."""
        before = self._kept.get(key)
        if before is not None:
            if before.fetched_s > kept.fetched_s:
                return
            self._forget(key)
        self._kept[key] = kept
        self.size_bytes += kept.size_bytes
        while len(self._kept) > self._terms.max_entries or self.size_bytes > self._terms.max_bytes:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: K) -> None:
        self.size_bytes -= self._kept.pop(key).size_bytes
