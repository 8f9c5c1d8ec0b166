"""After a purge of everything each thing is fetched anew once, a few at a time, while answers go on or wait."""

import asyncio
from math import inf
from pathlib import Path

import pytest

from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.core.context import Context
from tessera.renderer.core.device import Device
from tessera.renderer.core.ports import Profile
from tessera.renderer.core.tags import EVERYTHING
from tessera.renderer.core.visitor import Visitor
from tessera.renderer.fragments import Fragments
from tessera.renderer.gather import Asked, Gatherer
from tessera.renderer.pipeline import Pipeline
from tests.support.client import NOW
from tests.support.fakes import World
from tests.support.loop_time import LoopTime
from tests.support.sites import load, write_site

VISITORS = [f"v{number}" for number in range(200)]
AT_ONCE = 20


class Counting(World):
    """An upstream that counts how many calls are under way at one time, and holds them until it is let go."""

    most = under_way = 0
    gate = asyncio.Event()
    full = asyncio.Event()

    async def asked(self, source: str, what: object) -> None:
        self.calls.append((source, what))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.under_way == AT_ONCE:
            self.full.set()
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1


@pytest.mark.parametrize("hard", [False, True])
async def test_a_purge_of_everything_is_no_stampede(tmp_path: Path, hard: bool) -> None:
    declared = load(
        write_site(tmp_path, {"home.yaml": "page: home\nslots:\n  hero: {default: nothing}\n"}, {})
    ).declared
    world = Counting(profiles={each: Profile({"tier": "gold"}) for each in VISITORS})
    world.gate, world.full = asyncio.Event(), asyncio.Event()
    world.gate.set()
    sources = world.sources(fresh_s=60, stale_s=60)

    async def ask(visitor: str) -> None:
        assert (await sources.profile(visitor, declared)).value.status == "fresh"

    await asyncio.gather(*map(ask, VISITORS))
    world.calls.clear()
    world.most = 0
    world.gate.clear()
    world.full.clear()
    sources.purge([EVERYTHING], hard=hard)
    if hard:  # each needs its answer; ten who ask for one thing share one call
        asking = asyncio.gather(*(ask(visitor) for visitor in VISITORS for _ in range(10)))
        await world.full.wait()
        world.gate.set()
        await asking
    else:  # all are answered at once, while a few are fetched
        for _ in range(10):
            await asyncio.gather(*map(ask, VISITORS))
        assert len(world.calls) == AT_ONCE
        world.gate.set()
        while len(world.calls) < len(VISITORS):
            await asyncio.sleep(0)
            await asyncio.gather(*map(ask, VISITORS))
        await asyncio.gather(*map(ask, VISITORS))
    assert world.most == AT_ONCE
    assert sorted(str(what) for _, what in world.calls) == sorted(VISITORS)


PAGE = """
    page: home
    slots:
      hero:
        default: {template: stranger.liquid}
        rules: [{name: Gold, when: 'visitor.tier == "gold"', show: {template: gold.liquid}}]
"""
TEMPLATES = {"stranger.liquid": "stranger", "gold.liquid": "gold {{ visitor.first_name }}"}
DEADLINE_S = 1000.0
"""Passes when told to."""


async def test_a_thousand_requests_after_a_hard_purge_are_answered_in_time_and_bring_few_calls_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = LoopTime(monkeypatch)
    world = Counting(profiles={each: Profile({"tier": "gold", "first_name": each}) for each in VISITORS})
    world.gate, world.full = asyncio.Event(), asyncio.Event()
    world.gate.set()
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    site = load(folder)
    sources = world.sources(deadline_ms=DEADLINE_S * 1000, fresh_s=inf, clock=lambda: asyncio.get_running_loop().time())
    pipeline = Pipeline(Gatherer(sources), Fragments(MemoryCache(10**6)))
    plan = site.pages["home"].slots["hero"]

    async def ask(visitor: str) -> str:
        context = Context.of(Visitor(visitor, "granted"), Device(), "en", site.declared)
        asked = Asked(context, site.declared, NOW)
        return (await pipeline.slot(asked, plan)).fragment.body.decode()

    assert await asyncio.gather(*map(ask, VISITORS)) == [f"gold {each}" for each in VISITORS]
    world.calls.clear()
    world.most = 0
    world.gate.clear()
    world.full.clear()
    sources.purge([EVERYTHING], hard=True)
    asking = asyncio.gather(*(ask(visitor) for visitor in VISITORS for _ in range(5)))
    await world.full.wait()
    time.let_pass(DEADLINE_S)
    assert set(await asking) == {"stranger"}  # upstream hangs, and whoever waited for a turn steps down as well
    assert len(world.calls) < len(VISITORS)  # most have waited no longer than a call may take, and had no turn yet
    world.gate.set()
    gold = [f"gold {each}" for each in VISITORS]
    while await asyncio.gather(*map(ask, VISITORS)) != gold:
        time.let_pass(1.0)  # until those are asked again that failed
    assert world.most == AT_ONCE
