"""Ports that answer from memory, count who asks, and fail when told to."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tessera.renderer.core.errors import SourceError
from tessera.renderer.core.freshness import Lifetime
from tessera.renderer.core.ports import (
    Cart,
    Event,
    Exposure,
    FlagQuery,
    ListQuery,
    Profile,
    Profiles,
    Recommendations,
    Recommended,
    Recommender,
)
from tessera.renderer.core.stock import Stock
from tessera.renderer.profiles import ProfileSource
from tessera.renderer.remembered import Terms
from tessera.renderer.sources import Sources
from tessera.renderer.tally import Tally


@dataclass
class World:
    """Everything upstream. Implements all ports; ``failing`` maps a source to what it raises, ``slow`` are hung."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    lists: dict[str, Sequence[str | Recommended]] = field(default_factory=dict)
    catalogue: dict[str, Mapping[str, object]] = field(default_factory=dict)
    carts: dict[str, Cart] = field(default_factory=dict)
    failing: dict[str, SourceError] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)
    calls: list[tuple[str, object]] = field(default_factory=list)
    exposures: dict[tuple[str, str, str], Exposure] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    made: Sources = field(init=False, repr=False)
    flags: dict[str, Callable[[Mapping[str, object]], object]] = field(default_factory=dict)

    async def asked(self, source: str, what: object) -> None:
        """Count a call, give others their turn, and fail or hang when told to."""
        self.calls.append((source, what))
        await asyncio.sleep(0)
        if source in self.hanging:
            await asyncio.Event().wait()
        if source in self.failing:
            raise self.failing[source]

    def sources(
        self,
        *,
        fresh_s: float = 60,
        grace_s: float = 3600,
        stale_s: float = 0,
        missing_s: float = 60,
        retry_s: float = 0,
        deadline_ms: float = 10_000,
        max_bytes: int = 10_000_000,
        max_entries: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = lambda: 0.0,
        tally: Tally | None = None,
        tell_consent: bool = False,
        stock: Stock = Stock(),  # noqa: B008  # immutable
        recommender: Recommender | None = None,
    ) -> Sources:
        """Wrap these ports as the application does. The highest ``draw`` is the earliest refresh; 0 is none."""
        lifetime = Lifetime(fresh_s, grace_s, stale_s, missing_s)

        def terms(source: str, lifetime: Lifetime = lifetime) -> Terms:
            return Terms(source, deadline_ms, lifetime, max_entries, max_bytes, retry_s)

        self.made = Sources(
            self.profile_sources(terms("profile")),
            (recommender or FakeRecommender(self), terms("items")),
            (FakeCatalogue(self), terms("catalogue")),
            (FakeCarts(self), terms("cart")),
            (FakeEvents(self), terms("events", Lifetime(0, 0))),
            (FakeAssignments(self), terms("assignments", Lifetime(0, 0))),
            (FakeFlags(self), terms("flags")),
            clock,
            draw,
            tally=tally,
            stock=stock,
            tell_consent=tell_consent,
        )
        return self.made

    def profile_sources(self, terms: Terms) -> tuple[Profiles | Sequence[ProfileSource], Terms]:
        """Return where profiles come from: this world itself."""
        return FakeProfiles(self), terms


@dataclass
class FakeProfiles:
    """Implements `Profiles`."""

    world: World

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        """Return the profile, with whatever traits it has."""
        await self.world.asked("profile", visitor_id)
        return self.world.profiles.get(visitor_id, Profile(status="missing"))


@dataclass
class FakeRecommender:
    """Implements `Recommender`: lists by kind, or by visitor for personal ones."""

    world: World

    async def items(self, query: ListQuery) -> Recommendations:
        """Return the list."""
        await self.world.asked("items", query)
        members = self.world.lists.get(query.visitor_id or query.kind, ())[: query.at_most]
        return Recommendations(tuple(Recommended(each) if isinstance(each, str) else each for each in members))


@dataclass
class FakeCatalogue:
    """Implements `Catalogue`."""

    world: World

    async def items(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        """Return the items."""
        await self.world.asked("catalogue", tuple(ids))
        return {sku: self.world.catalogue[sku] for sku in ids if sku in self.world.catalogue}


@dataclass
class FakeCarts:
    """Implements `Carts`."""

    world: World

    async def cart(self, visitor_id: str) -> Cart | None:
        """Return the cart."""
        await self.world.asked("cart", visitor_id)
        return self.world.carts.get(visitor_id)


@dataclass
class FakeExposures:
    """Implements `Exposures`."""

    world: World

    async def record(self, exposure: Exposure) -> bool:
        """Keep it."""
        await self.world.asked("exposures", exposure.visitor_id)
        key = (exposure.visitor_id, exposure.experiment, exposure.version)
        new = key not in self.world.exposures
        self.world.exposures.setdefault(key, exposure)
        return new


@dataclass
class FakeAssignments:
    """Implements `Assignments`, from what was exposed."""

    world: World

    async def assignments(self, visitor_id: str) -> Mapping[tuple[str, str], str]:
        """Return the visitor's arms."""
        await self.world.asked("assignments", visitor_id)
        return {key[1:]: kept.arm for key, kept in self.world.exposures.items() if key[0] == visitor_id}


@dataclass
class FakeFlags:
    """Implements `Flags`: flags are functions of what is told."""

    world: World

    async def flags(self, query: FlagQuery) -> Mapping[str, object]:
        """Return the values of the flags that there are."""
        await self.world.asked("flags", query)
        told, known = dict(query.attributes), self.world.flags
        return {key: known[key](told) for key, _ in query.wanted if key in known}


@dataclass
class FakeEvents:
    """Implements `Events`."""

    world: World

    async def events(self, visitor_id: str, of: frozenset[str]) -> Mapping[tuple[str, str], Sequence[datetime]]:
        """Return the visitor's events."""
        await self.world.asked("events", visitor_id)
        found: dict[tuple[str, str], list[datetime]] = {}
        for event in self.world.events:
            if event.visitor_id == visitor_id and event.of in of:
                found.setdefault((event.kind, event.of), []).append(event.at)
        return found

    async def record(self, event: Event) -> None:
        """Keep it."""
        await self.world.asked("events", event.visitor_id)
        self.world.events.append(event)


def item(sku: str, title: str = "", cents: int = 1000) -> dict[str, object]:
    """A catalogue item."""
    return {"sku": sku, "title": title or sku, "price": {"amount": cents, "currency": "EUR"}}
