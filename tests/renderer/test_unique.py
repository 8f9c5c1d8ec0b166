"""No item twice: slots that leave out of their lists what the slots before them show, on a page and asked for alone."""

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.core.context import Context
from tessera.renderer.core.device import Device
from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import Profile
from tessera.renderer.core.visitor import Visitor
from tessera.renderer.engines.base import Limits
from tessera.renderer.explain import explain
from tessera.renderer.fragments import Fragments
from tessera.renderer.gather import Asked, Gatherer
from tessera.renderer.loader import load_site
from tessera.renderer.pipeline import Pipeline
from tessera.renderer.site import Site
from tests.support.client import NOW, client_of
from tests.support.fakes import World, item
from tests.support.sites import FACTS, LOCALES, load, write_site

PAGE = """
    page: home
    layouts:
      - {use: wide, when: 'device.type == "mobile"'}
      - {use: slim}
    slots:
      top: {default: {template: rail.liquid, items: popular}}
      words: {default: {template: words.liquid}}
      second: {unique: true, default: {template: rail.liquid, items: mine}}
      aside: {unique: true, default: {template: rail.liquid, items: popular}}
      third:
        unique: true
        default: {template: rail.liquid, items: popular}
        rules:
          - {name: Gold, when: 'visitor.tier == "gold"', show: {template: picky.liquid, items: mine}}
      again: {default: {template: rail.liquid, items: popular}}
"""
RAIL = "<ul>{% for item in items %}<li>{{ item.sku }}</li>{% endfor %}</ul>"
TEMPLATES = {
    "home/layouts/wide.liquid": "{{ slots.third }}|{{ slots.second }}|{{ slots.words }}|{{ slots.top }}|"
    "{{ slots.aside }}",
    "home/layouts/slim.liquid": "{{ slots.top }}|{{ slots.second }}|{{ slots.words }}|{{ slots.third }}",
    "rail.liquid": RAIL,
    "picky.liquid": RAIL + "{% if items.size < 2 %}{% abort 'fallback' %}{% endif %}",
    "words.liquid": "<p>words</p>",
}
WIDE, SLIM = ("third", "second", "words", "top", "aside"), ("top", "second", "words", "third")
SKUS = [f"S{number}" for number in range(16)]
PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36"


def world_of(**lists: Sequence[str]) -> World:
    profiles = {"ann": Profile({"tier": "gold"}, frozenset()), "bob": Profile({"tier": "none"}, frozenset())}
    return World(profiles=profiles, lists=dict(lists), catalogue={sku: item(sku) for sku in SKUS})


def skus(text: str) -> list[str]:
    return re.findall(r"<li>(\w+)</li>", text)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return load(write_site(tmp_path_factory.mktemp("site"), {"home.yaml": PAGE}, TEMPLATES))


some = st.lists(st.sampled_from(SKUS), max_size=12, unique=True)


@given(popular=some, mine=some, visitor=st.sampled_from(["ann", "bob", None]), mobile=st.booleans(), down=st.booleans())
@settings(max_examples=25, deadline=None)
async def test_no_item_stands_twice_and_a_fragment_is_the_same_on_the_page_and_alone(
    site: Site, popular: Sequence[str], mine: Sequence[str], visitor: str | None, mobile: bool, down: bool
) -> None:
    world = world_of(popular=popular, ann=mine, bob=mine)
    if down:
        world.failing["profile"] = SourceUnavailable("profile", "down")
    agent = {"user_agent": PHONE if mobile else "x"}
    async with client_of(site, world) as client:
        page = (await client.get("/pages/home", visitor, **agent)).text
        assert len(skus(page)) == len(set(skus(page)))
        names = WIDE if mobile else SLIM
        alone = [(await client.get(f"/fragments/home/{name}", visitor, **agent)).text for name in names]
        assert "|".join(alone) == page
        asked = {"fragments": [{"page": "home", "slot": name} for name in names]}
        batch = await client.http.post("/fragments", json=asked, headers=client.headers(visitor, **agent))
        assert [each["body"] for each in batch.json()["fragments"]] == alone


async def test_a_slot_gets_the_next_items_of_a_list_that_is_asked_for_once(site: Site) -> None:
    world = world_of(popular=SKUS, bob=SKUS[2:])
    async with client_of(site, world) as client:
        page = (await client.get("/pages/home", "bob")).text
        assert [skus(each) for each in page.split("|")] == [
            ["S0", "S1", "S2"],
            ["S3", "S4", "S5"],
            [],
            ["S9", "S10", "S11"],  # `aside` has those before: they stand together in the other layout
        ]
        queries = [what for source, what in world.calls if source == "items"]
        assert len(queries) == len(set(queries)) == 2
        assert skus((await client.get("/fragments/home/again", "bob")).text) == ["S0", "S1", "S2"]


async def test_what_was_left_out_is_explained(site: Site) -> None:
    world = world_of(popular=SKUS)
    pipeline = Pipeline(Gatherer(world.sources()), Fragments(MemoryCache(1_000_000)))
    asked = Asked(Context.of(Visitor(), Device(), "en", site.declared), site.declared, NOW)
    told = await explain(pipeline, asked, site, site.pages["home"].slots["second"])
    assert "left out, as slots before it show them:\n  S0\n  S1\n  S2" in told.to_text()
    assert told.to_json()["left_out"] == ["S0", "S1", "S2"]


def test_a_slot_is_shared_by_no_more_people_than_those_whose_items_it_leaves_out(site: Site) -> None:
    slots = site.pages["home"].slots
    assert [(name, slots[name].scope) for name in ("top", "words", "second", "aside", "again")] == [
        ("top", "public"),
        ("words", "public"),
        ("second", "private"),
        ("aside", "private"),
        ("again", "public"),
    ]
    assert [each.name for each in slots["third"].before] == ["top", "second", "aside"]
    assert slots["again"].before == ()


async def test_what_leaves_out_public_items_is_public(tmp_path: Path) -> None:
    page = """
        page: home
        slots:
          one: {default: {template: rail.liquid, items: popular}}
          two: {unique: true, default: {template: rail.liquid, items: popular}}
    """
    lists = "lists: {popular: {kind: popular, count: 3}}"
    folder = write_site(tmp_path, {"home.yaml": page, "lists.yaml": lists}, {"rail.liquid": RAIL})
    async with client_of(folder, world_of(popular=SKUS)) as client:
        reply = await client.get("/fragments/home/two")
        assert reply.headers["cache-control"].startswith("public, max-age=60")
        assert skus(reply.text) == ["S3", "S4", "S5"]


@pytest.mark.parametrize(
    ("slot", "facts", "complaint"),
    [
        ("{unique: true, default: {template: words.liquid}}", FACTS, "slot `one` is to be unique, but shows no list"),
        (
            "{unique: true, default: {template: size.liquid, items: popular}}",
            FACTS.replace("      sku: {type: string}\n", ""),
            "slot `one` is to be unique, but no `sku` tells items apart",
        ),
        ("{unique: yes, default: {template: size.liquid, items: popular}}", FACTS, "`yes`"),
    ],
)
def test_authors_are_told_what_unique_needs(slot: str, facts: str, complaint: str) -> None:
    with TemporaryDirectory() as name:
        page = f"page: home\nslots:\n  one: {slot}\n"
        templates = {"words.liquid": "words", "size.liquid": "{{ items.size }}"}
        write_site(Path(name), {"home.yaml": page, "facts.yaml": facts}, templates)
        loaded = load_site(Path(name), LOCALES, Limits())
    assert [each.message for each in loaded.diagnostics if complaint in each.message]


def test_a_promise_holds_for_the_slots_before_as_well(tmp_path: Path) -> None:
    page = PAGE.replace("second: {unique: true,", "second: {unique: true, share: private,").replace(
        "aside: {unique: true,", "aside: {unique: true, share: public, budget: 1,"
    )
    write_site(tmp_path, {"home.yaml": page}, TEMPLATES)
    told = [each.message for each in load_site(tmp_path, LOCALES, Limits()).diagnostics if each.severity == "error"]
    assert "slot `aside` is to be public, but slot `second`, whose items it leaves out, is private" in told
