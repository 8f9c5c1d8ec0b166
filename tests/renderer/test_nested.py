"""A nested fragment has its own key, and fails alone; what visitors get is one answer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.core.ports import Profile
from tests.support.client import Client, client_of
from tests.support.fakes import World, item
from tests.support.sites import write_site

PAGE = """
    page: home
    layouts:
      - use: plain
    slots:
      greeting:
        default: {template: greeting.liquid, cta: look, items: popular}
      modern:
        default: {template: greeting.jinja, cta: look, items: popular}
      tried:
        default: {template: greeting.liquid, cta: look}
        rules:
          - name: Colours
            split:
              experiment: colours
              arms: {red: {cta: look}, blue: {cta: plain}}
      broken:
        default: {template: broken.jinja, cta: look}
      picky:
        default: {template: greeting.liquid, cta: look}
        rules:
          - name: Known
            when: visitor.known
            show: {template: picky.liquid}
"""
TEXT = (
    "<ul>{% for item in items %}<li>{{ item.title }}</li>{% endfor %}</ul>{{ cta.text }}"
    "{% fragment %}<p>{{ visitor.first_name }}{% if visitor.tier == 'gold' %}*{% endif %}</p>{% endfragment %}"
)
TEMPLATES = {
    "greeting.liquid": TEXT,
    "greeting.jinja": TEXT,
    "broken.jinja": "{{ cta.text }}{% fragment %}\n\n{{ 1 // 0 if visitor.tier else 2 }}{% endfragment %}!",
    "picky.liquid": "{% fragment %}{% abort 'fallback' %}{% endfragment %}Picky",
    "home/layouts/plain.liquid": "{% fragment %}({{ slots.greeting }}){% endfragment %}{{ slots.picky }}",
}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    world = World(
        profiles={f"v{n}": Profile({"first_name": f"N{n}", "tier": "gold" if n % 2 else "none"}) for n in range(9)},
        lists={"popular": ["A"]},
        catalogue={"A": item("A", "<A>")},
    )
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, world, cache=MemoryCache(1_000_000)) as client:
        yield client


@pytest.mark.parametrize("slot", ["greeting", "modern"])
async def test_visitors_share_what_is_around_it(client: Client, slot: str) -> None:
    for n in range(9):
        reply = await client.get(f"/fragments/home/{slot}", f"v{n}")
        assert reply.text == f"<ul><li>&lt;A&gt;</li></ul>Look<p>N{n}{'*' if n % 2 else ''}</p>"
    assert isinstance(client.cache, MemoryCache)
    assert len(client.cache) == 1 + 9


async def test_the_entity_tag_is_of_all_of_it(client: Client) -> None:
    tags = {(await client.get("/fragments/home/greeting", who)).headers["etag"] for who in ("v1", "v2", "v1")}
    assert len(tags) == 2
    again = await client.get("/fragments/home/greeting", "v1", if_none_match=next(iter(tags)))
    other = await client.get("/fragments/home/greeting", "v2", if_none_match=next(iter(tags)))
    assert {again.status_code, other.status_code} == {200, 304}


async def test_one_that_fails_is_empty_and_alone_in_that(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    reply = await client.get("/fragments/home/broken", "v1")
    assert (reply.status_code, reply.text) == (200, "Look!")
    assert reply.headers["tessera-fallback"] == 'broken=default;cause="render error"'
    assert reply.headers["cache-control"] == "no-store"
    assert [record.getMessage().split(" ")[0] for record in caplog.records] == ["broken.jinja:3:4:"]
    assert (await client.get("/fragments/home/broken")).text == "Look\n\n2!"


async def test_one_may_ask_for_the_default_of_the_slot(client: Client) -> None:
    assert (await client.get("/fragments/home/picky", "v1")).text == "<ul></ul>Look<p>N1*</p>"


async def test_an_arm_is_reported_once_and_what_does_not_read_it_is_shared_by_arms(client: Client) -> None:
    texts = [(await client.get("/fragments/home/tried", f"v{n}")).text for n in (1, 2, 3, 4, 5, 6)]
    assert {text.count("data-tessera-experiment") for text in texts} == {1}
    assert {"Look" in text for text in texts} == {True, False}
    assert isinstance(client.cache, MemoryCache)
    assert len(client.cache) == 2 + 6


async def test_a_layout_may_have_one_with_slots_in_it(client: Client) -> None:
    reply = await client.get("/pages/home", "v1")
    assert reply.text == "(<ul><li>&lt;A&gt;</li></ul>Look<p>N1*</p>)<ul></ul>Look<p>N1*</p>"
