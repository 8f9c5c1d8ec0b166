"""After a purge of everything each thing is fetched anew once, a few at a time, while answers go on."""

import asyncio
from pathlib import Path

import pytest

from tessera.renderer.core.ports import Profile
from tessera.renderer.core.tags import EVERYTHING
from tests.support.fakes import World
from tests.support.sites import load, write_site

VISITORS = [f"v{number}" for number in range(200)]
AT_ONCE = 20


class Counting(World):
    """An upstream that counts how many calls are under way at one time, and holds them until it is let go."""

    most = under_way = 0
    gate = asyncio.Event()

    async def asked(self, source: str, what: object) -> None:
        self.calls.append((source, what))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.gate.wait()
        self.under_way -= 1


@pytest.mark.parametrize("hard", [False, True])
async def test_a_purge_of_everything_is_no_stampede(tmp_path: Path, hard: bool) -> None:
    declared = load(
        write_site(tmp_path, {"home.yaml": "page: home\nslots:\n  hero: {default: nothing}\n"}, {})
    ).declared
    world = Counting(profiles={each: Profile({"tier": "gold"}) for each in VISITORS})
    world.gate = asyncio.Event()
    world.gate.set()
    sources = world.sources(fresh_s=60, stale_s=60)

    async def ask(visitor: str) -> None:
        assert (await sources.profile(visitor, declared)).value.status == "fresh"

    await asyncio.gather(*map(ask, VISITORS))
    world.calls.clear()
    world.most = 0
    world.gate.clear()
    sources.purge([EVERYTHING], hard=hard)
    if hard:  # each needs its answer; ten who ask for one thing share one call
        asking = asyncio.gather(*(ask(visitor) for visitor in VISITORS for _ in range(10)))
        await asyncio.sleep(0.01)
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
