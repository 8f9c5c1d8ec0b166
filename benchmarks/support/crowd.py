"""A crowd at the demo shop: visitors made up from its own, what upstream knows of them, and their pages in turn."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from math import inf
from pathlib import Path
from random import Random
from typing import NamedTuple

import tessera
from support.traces import zipf
from tessera.demo.seed import items, visitors
from tessera.renderer.core.context import Context
from tessera.renderer.core.declared import coerced
from tessera.renderer.core.device import Device
from tessera.renderer.core.freshness import Lifetime
from tessera.renderer.core.ports import Cart, ListQuery, Profile, Recommendations, Recommended
from tessera.renderer.core.visitor import Visitor
from tessera.renderer.engines.base import Limits
from tessera.renderer.gather import Asked
from tessera.renderer.loader import load_site
from tessera.renderer.plans import PagePlan, SlotPlan
from tessera.renderer.remembered import Terms
from tessera.renderer.site import Site
from tessera.renderer.sources import Sources

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
LOCALES = ("en", "de")
PRODUCT_SHARE = 0.4
"""Share of pages that are a product's; the others are the home page."""


class Request(NamedTuple):
    """One request for a slot. What two of one ``who`` get for one ``what`` is the same."""

    asked: Asked
    plan: SlotPlan
    who: int
    what: tuple[str, str, str]


class View(NamedTuple):
    """One request for a page. What two of one ``who`` get for one ``sku`` (empty on the home page) is the same."""

    asked: Asked
    page: PagePlan
    who: int
    sku: str


FOREVER = Lifetime(inf, 0)


class Crowd:
    """A crowd, and everything upstream. Implements the ports of the demo.

    ``calls`` counts whatever is asked of the profile service, the recommender and the catalogue.
    """

    def __init__(self, size: int) -> None:
        loaded = load_site(Path(tessera.__file__).parent / "demo", LOCALES, Limits())
        assert loaded.site is not None
        self.site: Site = loaded.site
        self.calls = 0
        self._size = size
        self._known = visitors(NOW)
        self._names = sorted({str(each.traits["first_name"]) for each in self._known if "first_name" in each.traits})
        self._sold = {each["sku"]: each for each in sorted(items(), key=lambda each: -each["reviews"])}
        self._contexts = lru_cache(size)(self._context)

    def sources(self, lifetime: Lifetime = FOREVER, clock: Callable[[], float] = time.monotonic) -> Sources:
        """Return these ports as the application wraps them, with room for everybody. ``clock`` gives seconds."""

        def terms(source: str) -> Terms:
            return Terms(source, 10_000, lifetime, 10 * self._size, 10**10, 1.0)

        names = ("profile", "items", "catalogue", "cart", "events", "assignments", "flags")
        ports = (_Profiles(self), _Lists(self), _Catalogue(self), _Carts(), _Nothing(), _Nothing(), _Nothing())
        profile, listed, sold, cart, events, assigned, flags = (
            (port, terms(name)) for port, name in zip(ports, names, strict=True)
        )
        return Sources(profile, listed, sold, cart, events, assigned, flags, clock)  # type: ignore[arg-type]

    def requests(self, count: int, alpha: float = 1.0) -> Iterator[Request]:
        """Yield requests for all slots of pages in turn."""
        left = count
        for view in self.views(alpha):
            for plan in view.page.plans[:left]:
                yield Request(view.asked, plan, view.who, (view.page.name, plan.name, view.sku))
            left -= len(view.page.plans)
            if left <= 0:
                return

    def views(self, alpha: float = 1.0) -> Iterator[View]:
        """Yield requests for pages without end, visitors and products drawn by Zipf's law."""
        random = Random(7)
        skus = list(self._sold)
        draw_who, draw_sku = zipf(random, self._size, alpha), zipf(random, len(skus), alpha)
        while True:
            who, product = draw_who(), random.random() < PRODUCT_SHARE
            sku = skus[draw_sku()] if product else ""
            yield View(self.asked(who, sku), self.site.pages["product" if product else "home"], who, sku)

    def asked(self, who: int, sku: str = "") -> Asked:
        """Return a visitor's request for a page."""
        page = self.site.pages["product" if sku else "home"]
        parameters = coerced(page.parameters, {"sku": sku} if sku else {})
        return Asked(self._contexts(who), self.site.declared, NOW, parameters)

    def profile(self, visitor_id: str) -> Profile:
        """Return a visitor of the demo, under another name."""
        self.calls += 1
        number = int(visitor_id)
        like = self._known[number % len(self._known)]
        return Profile({**like.traits, "first_name": Random(number).choice(self._names)}, frozenset(like.segments))

    def listed(self, query: ListQuery) -> Sequence[str]:
        """Return what a list holds: of departments that a visitor likes, or near a product, what is best known."""
        self.calls += 1
        wanted: Sequence[object] = ()
        if query.visitor_id is not None:
            liked = self._known[int(query.visitor_id) % len(self._known)].traits.get("favourite_categories") or ()
            wanted = list(liked) if isinstance(liked, list | tuple) else ()
        elif query.to:
            wanted = [self._sold[sku]["category"] for sku in query.to]
        found = [sku for sku, item in self._sold.items() if not wanted or item["category"] in wanted]
        return [sku for sku in found if sku not in query.to][: query.at_most]

    def sold(self, sku: str) -> Mapping[str, object]:
        """Return a product's fields."""
        return dict(self._sold[sku])

    def _context(self, who: int) -> Context:
        random = Random(who)
        consent = random.random() < 0.7
        visitor = Visitor(str(who), "granted") if consent else Visitor(None, random.choice(("denied", "unknown")))
        device = Device(random.choice(("mobile", "mobile", "tablet", "desktop")))
        place = {"country": random.choice(("DE", "AT", "CH", "GB", "NL"))}
        return Context.of(visitor, device, random.choice(LOCALES), self.site.declared, place)


class _Profiles:
    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        return self._crowd.profile(visitor_id)


class _Lists:
    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    async def items(self, query: ListQuery) -> Recommendations:
        return Recommendations(tuple(map(Recommended, self._crowd.listed(query))))


class _Catalogue:
    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    async def items(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        self._crowd.calls += 1
        return {sku: self._crowd.sold(sku) for sku in ids}


class _Carts:
    async def cart(self, visitor_id: str) -> Cart | None:
        return None


class _Nothing:
    async def events(self, visitor_id: str, of: frozenset[str]) -> Mapping[tuple[str, str], Sequence[datetime]]:
        return {}

    async def assignments(self, visitor_id: str) -> Mapping[tuple[str, str], str]:
        return {}
