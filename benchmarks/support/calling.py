"""How often upstreams are asked for pages: by those who remember inputs, who cache pages by visitor, who do neither.

Time is simulated: so many pages a second. What is remembered or cached lives as the settings have it by default.
"""

from dataclasses import dataclass
from itertools import islice

from support.crowd import Crowd, View
from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.core.freshness import Lifetime
from tessera.renderer.fragments import Fragments
from tessera.renderer.gather import Gatherer
from tessera.renderer.pipeline import Pipeline
from tessera.renderer.settings_upstreams import Upstream

A_MOMENT_S = 1e-6
"""Within one page, nothing is asked for twice even by those who remember nothing."""

DEFAULTS = Upstream()


@dataclass(frozen=True)
class Calls:
    """Calls upstream for each 1,000 pages."""

    ours: int
    per_visitor: int
    uncached: int


class _Asking:
    """A pipeline on simulated time, and how often it asks."""

    def __init__(self, crowd: Crowd, lifetime: Lifetime) -> None:
        self.now_s = 0.0
        self._crowd = crowd
        sources = crowd.sources(lifetime, lambda: self.now_s)
        self._pipeline = Pipeline(Gatherer(sources), Fragments(MemoryCache(1 << 28)))

    async def calls(self, view: View) -> int:
        before = self._crowd.calls
        assert view.page.layout is not None
        await self._pipeline.page(view.asked, view.page.layout, view.page.slots)
        return self._crowd.calls - before


async def count(crowd: Crowd, pages: int, pages_per_s: float) -> Calls:
    """Let the crowd look at pages."""
    ours = _Asking(crowd, Lifetime(DEFAULTS.fresh_s, DEFAULTS.grace_s, DEFAULTS.stale_s, DEFAULTS.missing_s))
    by_us = 0
    for number, view in enumerate(islice(crowd.views(), pages)):
        ours.now_s = number / pages_per_s
        by_us += await ours.calls(view)
    neither = _Asking(crowd, Lifetime(A_MOMENT_S, 0))
    needed: dict[tuple[int, str], int] = {}
    cached_until: dict[tuple[int, str], float] = {}
    by_visitor = by_neither = 0
    for number, view in enumerate(islice(crowd.views(), pages)):
        neither.now_s = now_s = number / pages_per_s
        url = view.who, view.sku
        if url not in needed:
            needed[url] = await neither.calls(view)
        by_neither += needed[url]
        if cached_until.get(url, 0.0) <= now_s:
            by_visitor += needed[url]
            cached_until[url] = now_s + DEFAULTS.fresh_s
    return Calls(*(round(1000 * calls / pages) for calls in (by_us, by_visitor, by_neither)))
