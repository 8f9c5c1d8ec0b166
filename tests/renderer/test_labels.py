"""Answers that may be stored carry labels of all that they are made of; others carry none."""

import asyncio
from pathlib import Path

import pytest

from tessera.renderer.core.tags import template_tag
from tessera.renderer.edge import LABELS
from tessera.renderer.purges import templates_of
from tests.support.client import client_of, settings_for_tests
from tests.support.fakes import World, item
from tests.support.sites import load, write_site

LISTS = """
    lists:
      popular: {kind: popular, count: 3}
      empty: {kind: related, to: param.sku, count: 3, fallback: popular}
"""
RULES = """
    page: home
    params: {sku: {type: string, default: none}}
    layouts:
      - use: plain
    slots:
      rail: {default: {template: rail.liquid, items: empty}}
      stock: {default: {template: stock.liquid, items: popular}}
      hello: {default: {template: hello.liquid}}
"""
TEMPLATES = {
    "home/layouts/plain.liquid": "<html><body>{{ slots.rail }}{{ slots.stock }}</body></html>",
    "rail.liquid": "{% for item in items %}{{ item.title }}{% endfor %}",
    "stock.liquid": "{% for item in items %}{% if item.title == 'A' %}yes{% endif %}{% endfor %}",
    "hello.liquid": "{{ visitor.first_name }}",
}


def world() -> World:
    return World(lists={"popular": ["A", "gone"]}, catalogue={"A": item("A")})


def site(folder: Path) -> Path:
    return write_site(folder, {"home.yaml": RULES, "lists.yaml": LISTS}, TEMPLATES)


async def test_an_answer_carries_what_it_is_made_of_even_what_it_only_tests_or_did_not_find(tmp_path: Path) -> None:
    async with client_of(site(tmp_path), world()) as client:
        rail = (await client.get("/fragments/home/rail")).headers["surrogate-key"].split()
        stock = (await client.get("/fragments/home/stock")).headers["surrogate-key"].split()
    place = ["everything", "page:home"]
    assert rail[:3] == [*place, "slot:home/rail"]
    assert set(rail[3:]) == {"template:rail.liquid", "list:empty", "list:popular", "item:A", "item:gone"}
    assert set(stock) == {*place, "slot:home/stock", "template:stock.liquid", "list:popular", "item:A", "item:gone"}


async def test_a_page_carries_what_its_fragments_carry(tmp_path: Path) -> None:
    async with client_of(site(tmp_path), world()) as client:
        reply = await client.get("/pages/home")
        carried = set(reply.headers.get("surrogate-key", "").split())
    if "public" in reply.headers["cache-control"]:
        assert {"page:home", "slot:home/rail", "template:stock.liquid", "item:A"} <= carried
    else:
        assert carried == set()


@pytest.mark.parametrize("kind", LABELS)
async def test_each_edge_has_its_header(tmp_path: Path, kind: str) -> None:
    async with client_of(site(tmp_path), world(), settings=settings_for_tests(edge={"kind": kind})) as client:
        headers = (await client.get("/fragments/home/rail")).headers
        private = (await client.get("/fragments/home/hello", "ann")).headers
    name, between = (each.decode() for each in LABELS[kind])  # type: ignore[index]
    told = {"surrogate-key", "xkey", "cache-tag", "cache-groups"}
    assert set(headers[name].split(between)) >= {"everything", "item:A"}
    assert told & set(headers) == {name, *(["cache-groups"] if kind == "generic" else [])}
    assert not told & set(private)
    if kind == "generic":
        assert headers["cache-groups"].startswith('"everything", "page:home", "slot:home/rail"')


async def test_the_handshake_carries_its_visitor_without_telling_who_that_is(tmp_path: Path) -> None:
    async with client_of(site(tmp_path), world()) as client:
        carried = (await client.get("/context/home", "ann")).headers["surrogate-key"].split()
        others = (await client.get("/context/home", "bob")).headers["surrogate-key"].split()
    assert carried[:2] == others[:2] == ["everything", "page:home"]
    assert carried[2] != others[2]
    assert "ann" not in carried[2]


def test_slots_and_pages_stand_for_their_templates(tmp_path: Path) -> None:
    loaded = load(site(tmp_path))
    assert set(templates_of(loaded, ["slot:home/stock", "item:A"])) == {template_tag("stock.liquid")}
    assert set(templates_of(loaded, ["page:home"])) == {template_tag(name) for name in TEMPLATES}
    assert set(templates_of(loaded, ["slot:home/nothing", "page:hom"])) == set()


async def test_an_answer_that_was_begun_before_a_purge_is_not_to_be_stored(tmp_path: Path) -> None:
    class Slow(World):
        begun, end = asyncio.Event(), asyncio.Event()

        async def asked(self, source: str, what: object) -> None:
            self.begun.set()
            await self.end.wait()

    upstream = Slow(lists={"popular": ["A"]}, catalogue={"A": item("A")})
    async with client_of(site(tmp_path), upstream) as client:
        asking = asyncio.create_task(client.get("/fragments/home/stock"))
        await upstream.begun.wait()
        client.fragments.purge(frozenset(("item:A",)))
        upstream.end.set()
        reply = await asking
        assert (reply.text, reply.headers["cache-control"]) == ("yes", "private, no-store")
        again = await client.get("/fragments/home/stock")
        assert again.headers["cache-control"].startswith("public")
