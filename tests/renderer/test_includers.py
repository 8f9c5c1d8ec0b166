"""Whoever includes a fragment chooses what a failure looks like, and the form of the answer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from markupsafe import escape

from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import Profile
from tests.support.client import Client, client_of, settings_for_tests
from tests.support.fakes import World, item
from tests.support.sites import write_site

PAGE = """
    page: home
    params: {sku: {type: string}}
    slots:
      hero:
        default: {template: hello.liquid}
        rules:
          - {name: Gold, when: visitor.tier == "gold", show: {template: gold.liquid}}
      rail:
        default: {template: titles.jinja, items: popular}
      note:
        default: {template: note.liquid}
        rules:
          - {name: Broken, when: param.sku == "broken", show: {template: broken.jinja}}
"""
TEMPLATES = {
    "hello.liquid": "Hello",
    "gold.liquid": "Gold",
    "note.liquid": "Note",
    "titles.jinja": "{% for item in items %}{{ item.title }},{% endfor %}",
    "broken.jinja": "{{ 1 // 0 if param.sku else 2 }}",
}
DOWN = {name: SourceUnavailable(name, "down") for name in ("profile", "items")}


@pytest.fixture
def world() -> World:
    return World(profiles={"ann": Profile({"tier": "gold"})}, lists={"popular": ["A"]}, catalogue={"A": item("A")})


@pytest.fixture
async def client(tmp_path: Path, world: World) -> AsyncIterator[Client]:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, world, fresh_s=60, grace_s=600) as client:
        yield client


@pytest.mark.parametrize(
    ("query", "status"), [("", 200), ("?on_error=html", 200), ("?on_error=status", 503), ("?on_error=nonsense", 200)]
)
async def test_a_slot_on_a_low_rung_fails_for_whom_that_suits(
    client: Client, world: World, query: str, status: int
) -> None:
    world.failing.update(DOWN)
    for slot, shown in (("hero", "Hello"), ("rail", "")):
        reply = await client.get(f"/fragments/home/{slot}{query}", "ann")
        assert (reply.status_code, reply.text) == (status, shown)
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert "tessera-fallback" in reply.headers
        assert "etag" in reply.headers or status == 503


async def test_a_failure_is_never_stored(client: Client) -> None:
    reply = await client.get("/fragments/home/note?sku=broken&on_error=status", if_none_match="*")
    assert (reply.status_code, reply.headers["cache-control"], reply.text) == (503, "no-store", "Note")


async def test_what_is_well_is_the_same_for_all(client: Client) -> None:
    queries = ("", "", "?on_error=status")  # twice, so that it is at hand then, as `Cache-Status` tells
    _, plain, strict = [await client.get(f"/fragments/home/hero{query}", "ann") for query in queries]
    assert (plain.status_code, plain.text, plain.headers) == (strict.status_code, strict.text, strict.headers)


async def test_a_stale_fragment_is_no_failure(client: Client, world: World) -> None:
    await client.get("/fragments/home/rail")
    world.failing.update(DOWN)
    client.clock.append(client.clock[-1].replace(minute=5))
    reply = await client.get("/fragments/home/rail?on_error=status")
    assert (reply.status_code, reply.text) == (200, "A,")
    assert "rail=stale" in reply.headers["tessera-fallback"]


async def test_a_stand_in_that_was_made_for_nobody_may_be_stored_for_a_moment(client: Client, world: World) -> None:
    world.failing.update(DOWN)
    assert (await client.get("/fragments/home/rail")).headers["cache-control"] == "public, max-age=2"
    assert (await client.get("/fragments/home/hero", "ann")).headers["cache-control"] == "no-store"


async def test_a_stand_in_lives_no_longer_than_anything_may(tmp_path: Path, world: World) -> None:
    world.failing.update(DOWN)
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, world, settings=settings_for_tests(http={"max_age_s": 1})) as client:
        assert (await client.get("/fragments/home/rail")).headers["cache-control"] == "public, max-age=1"


@pytest.mark.parametrize(
    ("asked", "frame"),
    [
        ("", "hero"),
        ("=top.hero", "top.hero"),
        ("=%22%3E%3Cscript%3E", "hero"),
        ("=" + "x" * 65, "hero"),
        ("=a%0A", "hero"),
    ],
)
async def test_a_turbo_frame_is_put_around_a_fragment(client: Client, asked: str, frame: str) -> None:
    reply = await client.get(f"/fragments/home/hero?turbo_frame{asked}", "ann")
    assert reply.text == f'<turbo-frame id="{frame}">Gold</turbo-frame>'
    again = await client.get(f"/fragments/home/hero?turbo_frame{asked}", "ann", if_none_match=reply.headers["etag"])
    assert again.status_code == 304


async def test_an_includer_makes_no_entry_of_its_own_in_the_cache(client: Client, world: World) -> None:
    for query in ("", "?on_error=status", "?turbo_frame", "?turbo_frame=x"):
        await client.get(f"/fragments/home/rail{query}")
    assert [call for call in world.calls if call[0] == "items"] == [world.calls[0]]


async def test_a_manifest_describes_a_slot(client: Client) -> None:
    reply = await client.get("/podium/home/hero/manifest.json")
    version = client.live.current().version
    assert reply.json() == {"name": "home-hero", "version": version, "content": "content", "fallback": "fallback"}
    assert reply.headers["cache-control"] == "public, max-age=60"
    for path in ("/podium/home/no/manifest.json", "/podium/no/hero/manifest.json", "/podium/no/hero/content"):
        assert (await client.get(path)).status_code == 404


async def test_a_podlet_shows_a_visitor_theirs_and_its_fallback_nobodys(client: Client, world: World) -> None:
    content = await client.get("/podium/home/hero/content", "ann")
    assert (content.text, content.headers["podlet-version"]) == ("Gold", client.live.current().version)
    assert (await client.get("/podium/home/hero/fallback", "ann")).text == "Hello"
    world.failing.update(DOWN)
    client.clock.append(client.clock[-1].replace(hour=20))
    assert (await client.get("/podium/home/hero/content", "ann")).status_code == 503
    assert (await client.get("/podium/home/hero/fallback", "ann")).status_code == 200


async def test_a_podlet_has_the_parameters_of_its_page(client: Client) -> None:
    assert (await client.get("/podium/home/note/content?sku=broken")).status_code == 503
    assert (await client.get("/podium/home/note/content")).status_code == 200
    assert (await client.http.post("/podium/home/note/content")).status_code == 405


async def test_the_element_is_small_and_revalidates(client: Client) -> None:
    reply = await client.get("/assets/tessera-fragment.js")
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert reply.headers["cache-control"] == "public, max-age=3600, stale-while-revalidate=86400"
    assert len(reply.content) < 2048
    again = await client.get("/assets/tessera-fragment.js", if_none_match=reply.headers["etag"])
    assert (again.status_code, again.text, again.headers["etag"]) == (304, "", reply.headers["etag"])


PLACES = ("<p>{}</p>", "<!--{}-->", '<p title="{}"></p>', "<{}>", "<script type='application/json'>{}</script>")


@pytest.mark.parametrize("said", ["#exec cmd=id ", "<!--#include virtual=/x -->", "esi:include src=/x /", "!--#echo"])
async def test_data_gives_a_proxy_no_orders(tmp_path: Path, said: str) -> None:
    """Traits and items, wherever a template may put them."""
    hello = "".join(place.format("{{ visitor.first_name }}") for place in PLACES)
    titles = "".join(place.format("{{ items[0].title }}") for place in PLACES)
    folder = write_site(tmp_path, {"home.yaml": PAGE}, {**TEMPLATES, "hello.liquid": hello, "titles.jinja": titles})
    world = World(
        profiles={"eve": Profile({"first_name": said})},
        lists={"popular": ["A"]},
        catalogue={"A": {**item("A"), "title": said}},
    )
    async with client_of(folder, world) as client:
        for slot in ("hero", "rail"):
            text = (await client.get(f"/fragments/home/{slot}", "eve")).text
            assert text.count(str(escape(said))) >= len(PLACES) - 2
            assert "<!--#" not in text
            assert "<esi:" not in text
