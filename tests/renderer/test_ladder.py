"""Whatever fails, the page stands: fresh, stale, default, empty, each with its reason."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceUnavailable
from tessera.renderer.core.ports import Profile
from tests.support.client import NOW, Client, client_of
from tests.support.fakes import World, item
from tests.support.loop_time import LoopTime
from tests.support.sites import write_site

PAGE = """
    page: home
    layouts:
      - use: plain
    slots:
      hero:
        default: {template: hello.liquid}
        rules:
          - name: Gold
            when: visitor.tier == "gold"
            show: {template: gold.liquid}
      patient:
        default: {template: hello.liquid}
        rules:
          - name: Gold
            when: visitor.tier == "gold"
            on_unknown: stale 10m
            show: {template: gold.liquid}
      rail:
        default: {template: titles.jinja, items: popular}
        rules:
          - name: Known
            when: visitor.known
            show: {items: mine}
      fixed:
        default: {template: hello.liquid}
        rules:
          - name: Known
            when: visitor.known
            show: {template: titles.jinja, items: popular}
      broken:
        default: {template: hello.liquid}
        rules:
          - name: Always
            when: not visitor.known
            show: {template: broken.jinja}
      hopeless:
        default: {template: broken.jinja}
"""
TEMPLATES = {
    "hello.liquid": "Hello",
    "gold.liquid": "Gold",
    "titles.jinja": "{% for item in items %}{{ item.title }},{% endfor %}",
    "broken.jinja": "{{ 1 // 0 if locale else 2 }}",
    "home/layouts/plain.liquid": "[{{ slots.hero }}|{{ slots.rail }}|{{ slots.broken }}|{{ slots.hopeless }}]",
}
DEADLINE_S = 100.0
"""Passes when told to."""

DOWN = SourceUnavailable("profile", "down")
ITEMS_DOWN = SourceGarbled("items", "nonsense")


@pytest.fixture
def world() -> World:
    return World(
        profiles={"ann": Profile({"tier": "gold"})},
        lists={"popular": ["A", "B"], "ann": ["C"]},
        catalogue={sku: item(sku) for sku in "ABC"},
    )


@pytest.fixture
async def client(tmp_path: Path, world: World) -> AsyncIterator[Client]:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, world, fresh_s=60, grace_s=600, deadline_ms=DEADLINE_S * 1000) as client:
        yield client


async def answer(client: Client, slot: str, visitor: str | None = "ann") -> tuple[str, str | None]:
    reply = await client.get(f"/fragments/home/{slot}", visitor)
    assert reply.status_code == 200
    fallback = reply.headers.get("tessera-fallback")
    if fallback:
        assert reply.headers["cache-control"] == "no-store"
    return reply.text, fallback


def later(client: Client, seconds: float) -> None:
    client.clock.append(NOW + timedelta(seconds=seconds))


async def test_a_profile_that_fails_makes_a_visitor_of_whom_nothing_is_known(client: Client, world: World) -> None:
    world.failing["profile"] = DOWN
    assert await answer(client, "hero") == ("Hello", 'hero=default;cause="profile unavailable"')


async def test_a_profile_that_hangs_is_given_up_at_its_deadline(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.hanging.add("profile")
    asked = asyncio.ensure_future(answer(client, "hero"))
    assert DEADLINE_S <= await LoopTime(monkeypatch).let_pass_until(asked) < 2 * DEADLINE_S
    assert await asked == ("Hello", 'hero=default;cause="profile timeout"')


async def test_a_stale_profile_gets_the_default_variant(client: Client, world: World) -> None:
    assert await answer(client, "hero") == ("Gold", None)
    world.failing["profile"] = DOWN
    later(client, 61)
    assert await answer(client, "hero") == ("Hello", 'hero=stale;cause="profile unavailable"')


async def test_a_rule_may_say_how_stale_a_profile_it_takes(client: Client, world: World) -> None:
    assert await answer(client, "patient") == ("Gold", None)
    world.failing["profile"] = DOWN
    later(client, 599)
    assert await answer(client, "patient") == ("Gold", 'patient=stale;cause="profile unavailable"')
    later(client, 601)
    assert await answer(client, "patient") == ("Hello", 'patient=stale;cause="profile unavailable"')
    later(client, 661)
    assert await answer(client, "patient") == ("Hello", 'patient=default;cause="profile unavailable"')


async def test_a_fresh_profile_is_used_whatever_happens_upstream(client: Client, world: World) -> None:
    assert await answer(client, "hero") == ("Gold", None)
    world.failing["profile"] = DOWN
    later(client, 59)
    assert await answer(client, "hero") == ("Gold", None)


async def test_an_upstream_that_recovers_is_believed_at_once(client: Client, world: World) -> None:
    world.failing["profile"] = DOWN
    await answer(client, "hero")
    world.failing.clear()
    assert await answer(client, "hero") == ("Gold", None)


async def test_a_list_that_fails_gives_way_to_its_fallback(client: Client, world: World) -> None:
    assert await answer(client, "rail", None) == ("A,B,", None)
    world.failing["items"] = ITEMS_DOWN
    assert await answer(client, "rail") == ("A,B,", 'rail=default;cause="items garbled"')


async def test_without_any_list_the_slot_shows_its_default(client: Client, world: World) -> None:
    world.failing["items"] = ITEMS_DOWN
    assert await answer(client, "fixed") == ("Hello", 'fixed=default;cause="items garbled, items garbled"')


async def test_without_a_default_that_holds_the_slot_is_empty(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.hanging.add("items")
    asked = asyncio.ensure_future(answer(client, "rail"))
    await LoopTime(monkeypatch).let_pass_until(asked)
    text, fallback = await asked
    assert (text, (fallback or "").split(";")[0]) == ("", "rail=empty")


async def test_a_catalogue_that_fails_is_a_failed_list(client: Client, world: World) -> None:
    world.failing["catalogue"] = SourceError("catalogue", "gone")
    text, fallback = await answer(client, "rail", None)
    assert (text, (fallback or "").split(";")[0]) == ("", "rail=empty")


async def test_a_template_that_fails_takes_only_its_rule_with_it(client: Client) -> None:
    assert await answer(client, "broken", None) == ("Hello", 'broken=default;cause="render error"')


async def test_a_default_that_fails_leaves_the_slot_empty(client: Client) -> None:
    assert await answer(client, "hopeless") == ("", 'hopeless=empty;cause="render error, render error"')


async def test_a_page_stands_when_everything_fails(client: Client, world: World) -> None:
    world.failing.update({"profile": DOWN, "items": ITEMS_DOWN})
    reply = await client.get("/pages/home", "ann")
    assert (reply.status_code, reply.text) == (200, "[Hello||Hello|]")
    assert reply.headers["cache-control"] == "no-store"
    fallback = reply.headers["tessera-fallback"]
    assert re.findall(r"(\w+=\w+);cause", fallback) == [
        "hero=default",
        "hopeless=empty",
        "rail=empty",
    ]


async def test_concurrent_requests_share_one_call_and_one_failure(client: Client, world: World) -> None:
    world.failing["profile"] = DOWN
    replies = await asyncio.gather(*(client.get("/fragments/home/hero", "ann") for _ in range(20)))
    assert {reply.text for reply in replies} == {"Hello"}
    assert world.calls == [("profile", "ann")]
