"""Inputs from upstream: the one room where time lives.

It wraps the ports. Each answer is remembered with its age; a fresh one is used as it is, an older one stands in only
where a newer one cannot be had, and concurrent requests for one thing share one call. Adapters themselves
never cache.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from cachetools import FIFOCache

from tessera.renderer.cache.coalesce import SingleFlight
from tessera.renderer.core.declared import Declared, KnownProfile
from tessera.renderer.core.errors import SourceError, SourceTimeout
from tessera.renderer.core.events import Moments
from tessera.renderer.core.freshness import Freshness, Lifetime
from tessera.renderer.core.inputs import Items
from tessera.renderer.core.ports import Assignments, Cart, Carts, Catalogue, Events, ListQuery, Profiles, Recommender

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Got(NamedTuple, Generic[V]):
    """An input: its value, its age in seconds, and what is left of its fresh life."""

    value: V
    age_s: float
    fresh_for_s: float
    freshness: Freshness
    failure: SourceError | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How one upstream is asked: its name, its deadline, how long its answers are good, how many are remembered."""

    source: str
    deadline_ms: float
    lifetime: Lifetime
    max_entries: int


class Remembered(Generic[K, V]):
    """The answers of one upstream, by key, with their ages."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._answers: FIFOCache[K, tuple[V, float]] = FIFOCache(terms.max_entries)  # the oldest answer goes first
        self._flights: SingleFlight[K, V] = SingleFlight()

    async def get(self, key: K, fetch: Callable[[], Awaitable[V]], now_s: float) -> Got[V]:
        """Return a fresh answer, asking for one if need be; on failure, one that is within its grace.

        ``now_s`` is seconds since the epoch. Raises `SourceError` where neither is to be had.
        """
        got = self.fresh(key, now_s)
        if got is not None:
            return got
        try:
            value = await self._flights.run(key, lambda: self._fetch(key, fetch, now_s))
        except SourceError as failure:
            remembered = self._answers.get(key)
            if remembered is None:
                raise
            value, fetched_s = remembered
            if self._terms.lifetime.judge(now_s - fetched_s) == "expired":
                raise
            return Got(value, now_s - fetched_s, 0.0, "stale", failure)
        return Got(value, 0.0, self._terms.lifetime.fresh_s, "fresh")

    def fresh(self, key: K, now_s: float) -> Got[V] | None:
        """Return an answer that is at hand and fresh: what most requests need, without waiting."""
        try:
            value, fetched_s = self._answers[key]
        except KeyError:
            return None
        age_s = max(0.0, now_s - fetched_s)
        left_s = self._terms.lifetime.fresh_s - age_s
        return Got(value, age_s, left_s, "fresh") if left_s > 0 else None

    async def _fetch(self, key: K, fetch: Callable[[], Awaitable[V]], now_s: float) -> V:
        try:
            async with asyncio.timeout(self._terms.deadline_ms / 1000):
                value = await fetch()
        except TimeoutError as late:
            raise SourceTimeout(self._terms.source, f"no answer in {self._terms.deadline_ms:g} ms") from late
        self._answers[key] = (value, now_s)
        return value


class Sources:
    """All inputs of the site, remembered. Values are coerced as declared, once, when they arrive."""

    def __init__(
        self,
        profiles: tuple[Profiles, Terms],
        recommender: tuple[Recommender, Terms],
        catalogue: tuple[Catalogue, Terms],
        carts: tuple[Carts, Terms],
        events: tuple[Events, Terms],
        assignments: tuple[Assignments, Terms],
    ) -> None:
        self._profiles, terms = profiles
        self._known: Remembered[tuple[bytes, str], KnownProfile] = Remembered(terms)
        self._recommender, terms = recommender
        self._lists: Remembered[tuple[bytes, ListQuery], Items] = Remembered(terms)
        self._catalogue, terms = catalogue
        self._items: Remembered[tuple[bytes, str], Items] = Remembered(terms)
        self._carts, terms = carts
        self._cart_of: Remembered[str, Cart | None] = Remembered(terms)
        self._assignments, terms = assignments
        self._assigned: Remembered[str, Mapping[tuple[str, str], str]] = Remembered(terms)
        self._events, terms = events
        self._moments: Remembered[tuple[str, frozenset[str]], Moments] = Remembered(terms)

    async def profile(self, visitor_id: str, declared: Declared, now_s: float) -> Got[KnownProfile]:
        """Return what is known of a visitor, as declared facts. Raises `SourceError`."""

        async def fetch() -> KnownProfile:
            return declared.profile(await self._profiles.profile(visitor_id, declared.traits))

        return await self._known.get((declared.shape, visitor_id), fetch, now_s)

    def profile_at_hand(self, visitor_id: str, declared: Declared, now_s: float) -> Got[KnownProfile] | None:
        """Return the same without waiting, None where it has to be asked for."""
        return self._known.fresh((declared.shape, visitor_id), now_s)

    async def items(self, query: ListQuery, declared: Declared, now_s: float) -> Got[Items]:
        """Return a list of whole items, best first. Raises `SourceError`."""

        async def fetch() -> Items:
            wanted = await self._recommender.items(query)
            bare = [item.id for item in wanted if not item.fields]
            sold = await self._catalogue.items(bare) if bare else {}
            fields = {item.id: item.fields or sold.get(item.id) for item in wanted}
            return Items([declared.item(each) for each in fields.values() if each])

        return await self._lists.get((declared.shape, query), fetch, now_s)

    def items_at_hand(self, query: ListQuery, declared: Declared, now_s: float) -> Got[Items] | None:
        """Return the same without waiting, None where it has to be asked for."""
        return self._lists.fresh((declared.shape, query), now_s)

    async def item(self, sku: str, declared: Declared, now_s: float) -> Got[Items]:
        """Return the one item of this id; an empty list where the catalogue has none. Raises `SourceError`."""

        async def fetch() -> Items:
            found = await self._catalogue.items((sku,))
            return Items([declared.item(found[sku])] if sku in found else [])

        return await self._items.get((declared.shape, sku), fetch, now_s)

    async def cart(self, visitor_id: str, now_s: float) -> Got[Cart | None]:
        """Return a visitor's cart, None where there is none. Raises `SourceError`."""
        return await self._cart_of.get(visitor_id, lambda: self._carts.cart(visitor_id), now_s)

    async def events(self, visitor_id: str, of: frozenset[str], now_s: float) -> Got[Moments]:
        """Return when a visitor's events about these things happened. Raises `SourceError`."""
        return await self._moments.get((visitor_id, of), lambda: self._events.events(visitor_id, of), now_s)

    async def assignments(self, visitor_id: str, now_s: float) -> Got[Mapping[tuple[str, str], str]]:
        """Return the arms that a visitor was first shown, by experiment and version. Raises `SourceError`."""
        return await self._assigned.get(visitor_id, lambda: self._assignments.assignments(visitor_id), now_s)
