"""More requests at a time than are answered: the rest get the default or nothing at once, and nobody is asked."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tessera.renderer.core.ports import Profile
from tessera.renderer.tally import IN_FLIGHT, SHED
from tests.renderer.test_metrics import RULES, TEMPLATES
from tests.support.client import client_of, settings_for_tests
from tests.support.fakes import World
from tests.support.loop_time import LoopTime
from tests.support.sites import write_site


async def test_what_is_too_much_gets_the_default_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = write_site(tmp_path, RULES, TEMPLATES)
    world = World(profiles={"ann": Profile({"tier": "gold"})}, hanging={"profile", "items"})
    settings = settings_for_tests(server={"max_in_flight": 2})
    time = LoopTime(monkeypatch)
    async with client_of(site, world, settings=settings, deadline_ms=60_000) as client:
        waiting = [asyncio.ensure_future(client.get("/fragments/home/hero", name)) for name in ("a", "b")]
        while len(world.calls) < 2:  # noqa: ASYNC110  # both are on their way
            await asyncio.sleep(0)
        assert client.tally.cells[IN_FLIGHT] == 2

        def told(reply: httpx.Response) -> tuple[int, str, str, str]:
            return reply.status_code, reply.text, reply.headers["tessera-fallback"], reply.headers["cache-control"]

        hero = await client.get("/fragments/home/hero", "ann")
        rail = await client.get("/fragments/home/rail")
        page = await client.get("/pages/home", "ann")
        failed = await client.get("/fragments/home/rail?on_error=status")
        assert told(hero) == (200, "<p>Hello</p>", 'hero=default;cause="overload"', "no-store")
        assert told(rail) == (200, "", 'rail=empty;cause="overload"', "no-store")
        assert (page.status_code, page.text) == (200, "<main><p>Hello</p></main>")
        assert (failed.status_code, failed.headers["cache-control"]) == (503, "no-store")
        assert len(world.calls) == 2
        assert client.tally.cells[SHED] == 6
        time.let_pass(60)
        assert {reply.status_code for reply in await asyncio.gather(*waiting)} == {200}
        assert client.tally.cells[IN_FLIGHT] == 0
        world.hanging.clear()
        assert "tessera-fallback" not in (await client.get("/fragments/home/hero", "ann")).headers
