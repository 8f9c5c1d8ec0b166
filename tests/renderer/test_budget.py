"""The budget: what one request waits in all, whatever it needs, while what it began goes on for the next."""

import asyncio
from pathlib import Path

import pytest

from tessera.renderer.budget import is_spent, spending, until
from tessera.renderer.core.errors import SourceTimeout
from tessera.renderer.core.freshness import Lifetime
from tessera.renderer.core.ports import Profile
from tessera.renderer.fences import Fences
from tessera.renderer.remembered import Arrived, Remembered, Terms
from tests.support.client import client_of
from tests.support.fakes import World, item
from tests.support.loop_time import LoopTime
from tests.support.sites import write_site

TERMS = Terms("profile", 10_000, Lifetime(60, 600), 100, 10**6, retry_s=0)
PAGE = """
    page: home
    layouts:
      - use: plain
    slots:
      rail:
        default: {template: hello.liquid}
        rules:
          - name: Gold
            when: visitor.tier != "gold"
            on_unknown: match
            show: {template: titles.jinja, items: mine}
"""
TEMPLATES = {
    "hello.liquid": "Hello",
    "titles.jinja": "{% for item in items %}{{ item.title }},{% endfor %}",
    "home/layouts/plain.liquid": "[{{ slots.rail }}]",
}


async def test_without_a_budget_nobody_counts() -> None:
    assert until() is None
    assert not is_spent()


async def test_a_budget_in_another_is_no_longer_than_that() -> None:
    with spending(10):
        whole = until()
        with spending(20):
            assert until() == whole
        with spending(0):
            assert is_spent()
        assert until() == whole
    assert until() is None


async def test_a_wait_ends_with_the_budget_and_the_call_goes_on_for_the_next() -> None:
    remembered: Remembered[str, str] = Remembered(TERMS, Fences())
    answers = asyncio.Event()

    async def fetch() -> Arrived[str]:
        await answers.wait()
        return Arrived("good", ())

    with spending(0.02), pytest.raises(SourceTimeout, match="the time of the request is up"):
        await remembered.get("ann", fetch, ())
    answers.set()
    with spending(10):
        assert (await remembered.get("ann", fetch, ())).value == "good"


async def test_once_it_is_spent_nothing_more_is_begun_and_what_is_at_hand_is_used() -> None:
    remembered: Remembered[str, str] = Remembered(TERMS, Fences())
    calls = []

    async def fetch() -> Arrived[str]:
        calls.append(1)
        return Arrived("good", ())

    await remembered.get("ann", fetch, ())
    with spending(0):
        assert (await remembered.get("ann", fetch, ())).value == "good"
        with pytest.raises(SourceTimeout):
            await remembered.get("bob", fetch, ())
    assert len(calls) == 1


@pytest.mark.parametrize("path", ["/fragments/home/rail", "/pages/home"])
async def test_deadlines_do_not_add_up_beyond_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    world = World({"ann": Profile({"tier": "none"})}, {"ann": ["A"]}, {"A": item("A")})
    world.hanging |= {"profile", "items", "catalogue"}
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    time = LoopTime(monkeypatch)
    async with client_of(folder, world, deadline_ms=1_000_000, budget_s=200) as client:
        asked = asyncio.ensure_future(client.get(path, "ann"))
        took_s = await time.let_pass_until(asked)
        reply = await asked
    assert (reply.status_code, reply.text.strip("[]")) == (200, "Hello")
    assert reply.headers["tessera-fallback"].startswith("rail=default;cause=")
    assert 200 <= took_s < 1000  # a profile, a list and its fallback wait 3000 s by their deadlines alone
