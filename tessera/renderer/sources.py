"""Inputs from upstream: the one room where time lives.

It wraps the ports. Each answer is remembered with its age and its tags, as `remembered` says; adapters themselves never
cache. Values are coerced as declared, once, when they arrive.
"""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from tessera.renderer.core.declared import Declared, KnownProfile
from tessera.renderer.core.events import Moments
from tessera.renderer.core.inputs import Items
from tessera.renderer.core.ports import (
    Assignments,
    Cart,
    Carts,
    Catalogue,
    Events,
    FlagQuery,
    Flags,
    ListQuery,
    Profiles,
    Recommender,
)
from tessera.renderer.core.stock import Origin, Stock
from tessera.renderer.core.tags import EVERYTHING
from tessera.renderer.fences import Fences, Tags
from tessera.renderer.profiles import OneSource, Profiler, ProfileSource, SeveralSources
from tessera.renderer.remembered import Arrived, Got, Remembered, Terms
from tessera.renderer.tally import Tally

ANY_ITEM = "item:"
VERSIONS = 16
"""Of the site, for which it is known what is needed of items."""


class Sources:
    """All inputs of the site, remembered.

    What is a visitor's own carries ``visitor:ID``; a catalogue item, and each list that holds it, ``item:SKU``; a list
    also ``list:NAME``.
    """

    def __init__(
        self,
        profiles: tuple[Profiles | Sequence[ProfileSource], Terms],
        recommender: tuple[Recommender, Terms],
        catalogue: tuple[Catalogue, Terms],
        carts: tuple[Carts, Terms],
        events: tuple[Events, Terms],
        assignments: tuple[Assignments, Terms],
        flags: tuple[Flags, Terms],
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
        tally: Tally | None = None,
        *,
        stock: Stock = Stock(),  # noqa: B008  # immutable
        tell_consent: bool = False,
    ) -> None:
        """``clock`` gives seconds and is never set back; ``draw`` gives numbers from 0 to below 1.

        Of several profile sources the first counts most; the terms are then those of what they are merged to.
        ``tell_consent`` says that profiles may tell that a visitor refused personalization.
        """
        self.clock = clock
        self.tell_consent = tell_consent
        self._stock = lru_cache(VERSIONS)(stock.of)
        self._fences = fences = Fences()
        asked, terms = profiles
        parts: tuple[Remembered[Any, Any], ...] = ()
        self._profiler: Profiler
        if isinstance(asked, Sequence):
            self._profiler = several = SeveralSources(asked, fences, clock, draw, tally)
            parts, counted = several.remembered, None  # merging is no call
        else:
            self._profiler, counted = OneSource(asked), tally
        self.profiles: Remembered[tuple[bytes, str], KnownProfile] = Remembered(terms, fences, clock, draw, counted)
        self._recommender, terms = recommender
        self.lists: Remembered[tuple[bytes, ListQuery], Items] = Remembered(terms, fences, clock, draw, tally)
        self._catalogue, terms = catalogue
        self.single: Remembered[tuple[bytes, str], Items] = Remembered(terms, fences, clock, draw, tally)
        self._carts, terms = carts
        self._cart_of: Remembered[str, Cart | None] = Remembered(terms, fences, clock, draw, tally)
        self._assignments, terms = assignments
        self._assigned: Remembered[str, Mapping[tuple[str, str], str]] = Remembered(terms, fences, clock, draw, tally)
        self._events, terms = events
        self._moments: Remembered[tuple[str, frozenset[str]], Moments] = Remembered(terms, fences, clock, draw, tally)
        self._flags, terms = flags
        self._decided: Remembered[tuple[str | None, FlagQuery], Mapping[str, object]] = Remembered(
            terms, fences, clock, draw, tally
        )
        own = self.profiles, self.lists, self.single, self._cart_of, self._assigned, self._moments
        self._all: tuple[Remembered[Any, Any], ...] = (*own, self._decided, *parts)

    def purge(self, tags: Iterable[str], *, hard: bool) -> None:
        """End the fresh life of all that carries one of the tags, or (hard) let go of it.

        Whatever is being fetched for a tag now will not be remembered.
        """
        purged = frozenset(tags)
        self._fences.put_up(purged, hard=hard, now_s=self.clock())
        if hard:
            for each in self._all:
                each.sweep(purged)

    @property
    def remembered(self) -> int:
        """How many answers are remembered."""
        return sum(len(each) for each in self._all)

    def drop(self) -> None:
        """Let go of everything: for a process that cannot tell what it has missed."""
        self.purge((EVERYTHING,), hard=True)

    async def profile(self, visitor_id: str, declared: Declared) -> Got[KnownProfile]:
        """Return what is known of a visitor, as declared facts. Raises `SourceError`."""
        tags = _of_visitor(visitor_id)

        async def fetch() -> Arrived[KnownProfile]:
            return await self._profiler.fetch(visitor_id, declared, tags)

        return await self.profiles.get((declared.shape, visitor_id), fetch, tags)

    def profile_at_hand(self, visitor_id: str, declared: Declared) -> Got[KnownProfile] | None:
        """Return the same without waiting, None where it has to be asked for."""
        return self.profiles.at_hand((declared.shape, visitor_id))

    async def items(self, query: ListQuery, declared: Declared) -> Got[Items]:
        """Return a list: whole items, best first. Raises `SourceError`."""
        own = (f"list:{query.name}", *(_of_visitor(query.visitor_id) if query.visitor_id is not None else ()))

        async def fetch() -> Arrived[Items]:
            stock = self._stock(declared.item_names)
            answer = await self._recommender.items(stock.asked(query))
            bare = stock.bare(answer.items)
            sold = await self.single.calls.run(lambda: self._catalogue.items(bare)) if bare else {}
            items = Items(map(declared.item, stock.whole(query, answer.items, sold)), Origin.of(answer))
            tags = (*own, *(ANY_ITEM + item.id for item in answer.items))
            return Arrived(items, tags, not items.all)

        return await self.lists.get((declared.shape, query), fetch, (*own, ANY_ITEM))

    def items_at_hand(self, query: ListQuery, declared: Declared) -> Got[Items] | None:
        """Return the same without waiting, None where it has to be asked for."""
        return self.lists.at_hand((declared.shape, query))

    async def item(self, sku: str, declared: Declared) -> Got[Items]:
        """Return the one item of this id; an empty list where the catalogue has none. Raises `SourceError`."""
        tags = (ANY_ITEM + sku,)

        async def fetch() -> Arrived[Items]:
            found = await self._catalogue.items((sku,))
            return Arrived(Items([declared.item(found[sku])] if sku in found else []), tags, sku not in found)

        return await self.single.get((declared.shape, sku), fetch, tags)

    async def cart(self, visitor_id: str) -> Got[Cart | None]:
        """Return a visitor's cart, None where there is none. Raises `SourceError`."""
        tags = _of_visitor(visitor_id)

        async def fetch() -> Arrived[Cart | None]:
            cart = await self._carts.cart(visitor_id)
            return Arrived(cart, tags, cart is None)

        return await self._cart_of.get(visitor_id, fetch, tags)

    async def events(self, visitor_id: str, of: frozenset[str]) -> Got[Moments]:
        """Return when a visitor's events about these things happened. Raises `SourceError`."""
        tags = _of_visitor(visitor_id)

        async def fetch() -> Arrived[Moments]:
            return Arrived(await self._events.events(visitor_id, of), tags)

        return await self._moments.get((visitor_id, of), fetch, tags)

    async def assignments(self, visitor_id: str) -> Got[Mapping[tuple[str, str], str]]:
        """Return the arms that a visitor was first shown, by experiment and version. Raises `SourceError`."""
        tags = _of_visitor(visitor_id)

        async def fetch() -> Arrived[Mapping[tuple[str, str], str]]:
            return Arrived(await self._assignments.assignments(visitor_id), tags)

        return await self._assigned.get(visitor_id, fetch, tags)

    async def flags(self, visitor_id: str | None, query: FlagQuery) -> Got[Mapping[str, object]]:
        """Return what the flag service decides for whoever is told of in the query. Raises `SourceError`."""
        tags = () if visitor_id is None else _of_visitor(visitor_id)

        async def fetch() -> Arrived[Mapping[str, object]]:
            return Arrived(await self._flags.flags(query), tags)

        return await self._decided.get((visitor_id, query), fetch, tags)


def _of_visitor(visitor_id: str) -> Tags:
    return (f"visitor:{visitor_id}",)
