"""What an aborting template makes of its slot: an ordinary answer, cached like any other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.core.ports import Profile
from tests.support.client import Client, client_of
from tests.support.fakes import World
from tests.support.sites import write_site

PAGE = """
    page: home
    slots:
      one:
        default: {template: plain.liquid, cta: look}
        rules:
          - name: Known
            when: visitor.known
            show: {template: picky.liquid}
      stubborn:
        default: {template: never.jinja}
"""
TEMPLATES = {
    "plain.liquid": "Plain {{ cta.text }}",
    "picky.liquid": "{% case visitor.tier %}{% when 'none' %}{% abort %}{% when 'silver' %}{% abort 'fallback' %}"
    "{% endcase %}For {{ visitor.tier }}",
    "never.jinja": "{% abort 'fallback' %}",
}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    world = World(profiles={tier: Profile({"tier": tier}) for tier in ("none", "silver", "gold")})
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, world, cache=MemoryCache(1_000_000)) as client:
        yield client


async def test_nothing_is_an_empty_fragment_and_no_failure(client: Client) -> None:
    reply = await client.get("/fragments/home/one", "none")
    assert (reply.status_code, reply.text) == (200, "")
    assert "tessera-fallback" not in reply.headers


async def test_the_fallback_is_the_default_and_no_failure(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        reply = await client.get("/fragments/home/one", "silver")
        assert (reply.status_code, reply.text) == (200, "Plain Look")
        assert "tessera-fallback" not in reply.headers
    assert (await client.get("/fragments/home/one", "gold")).text == "For gold"
    assert caplog.records == []


async def test_that_a_template_falls_back_is_remembered(client: Client) -> None:
    assert isinstance(client.cache, MemoryCache)
    await client.get("/fragments/home/one", "silver")
    held = len(client.cache)
    await client.get("/fragments/home/one", "silver")
    assert held == len(client.cache) == 2


async def test_a_default_that_asks_for_itself_shows_nothing(client: Client) -> None:
    reply = await client.get("/fragments/home/stubborn")
    assert (reply.status_code, reply.text) == (200, "")
