"""Whole pages: put together by Tessera, by a proxy, or by the browser as the parts come."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest

from tessera.renderer.core.ports import Profile
from tests.support.client import Client, client_of
from tests.support.fakes import World, item
from tests.support.loop_time import LoopTime
from tests.support.sites import write_site

PAGE = """
    page: home
    params: {q: {type: string}, n: {type: integer}}
    layouts: [{use: main}]
    slots:
      hero: {default: {template: hero.liquid}}
      name: {default: {template: name.liquid}}
      rail: {default: {template: rail.liquid, items: popular}}
      foot: {default: {template: hero.liquid}}
"""
DEADLINE_S = 100.0
"""Passes when told to."""

MARKUP = (
    "<!doctype html><html><head><title>Shop</title></head><body>{{ slots.hero }}<main>{{ slots.rail }}</main>"
    "{{ slots.name }}<!--tessera:slot:mine--><hr>{{ slots.foot }}<p>end</p></body></html>"
)
TEMPLATES = {
    "home/layouts/main.liquid": MARKUP,
    "hero.liquid": "<h2>{{ param.q }}</h2>",
    "name.liquid": "<p>{{ visitor.first_name }}</p>",
    "rail.liquid": "<ul>{% for item in items %}<li>{{ item.title }}</li>{% endfor %}</ul>",
}


@pytest.fixture
def world() -> World:
    catalogue: dict[str, Mapping[str, object]] = {"A": item("A", "<A>"), "B": item("B")}
    profiles = {"ann": Profile({"first_name": "Ann"}, frozenset())}
    return World(profiles=profiles, lists={"popular": ["A", "B"]}, catalogue=catalogue)


@pytest.fixture
async def time(monkeypatch: pytest.MonkeyPatch) -> LoopTime:
    return LoopTime(monkeypatch)


@pytest.fixture
async def client(tmp_path: Path, world: World) -> AsyncIterator[Client]:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, world, deadline_ms=DEADLINE_S * 1000, retry_s=1) as client:
        yield client


ORDER = {"esi": re.compile(r'<esi:include src="([^"]*)"/>'), "ssi": re.compile(r'<!--#include virtual="([^"]*)" -->')}
WORDS = ["plain", "a&b=c", '"/><script>x</script>', "$uri -->", "ü\ud7ff%00", "x" * 200]


@pytest.mark.parametrize("composer", ["esi", "ssi"])
async def test_a_layout_for_a_proxy_names_the_fragments_that_make_the_page(client: Client, composer: str) -> None:
    for locale, said in product(["", "/de"], WORDS):
        query = httpx.QueryParams({"q": said, "unknown": "1"})
        reply = await client.get(f"{locale}/pages/home?{query}&compose={composer}", "ann")
        sources = ORDER[composer].findall(reply.text)
        assert [source.partition("?")[0] for source in sources] == [
            f"{locale}/fragments/home/{slot}" for slot in ("hero", "rail", "name", "foot")
        ]
        assert all(("unknown" not in source, set(source) & set("<>$ \0")) == (True, set()) for source in sources)
        parts = {source: (await client.get(source.replace("&amp;", "&"), "ann")).text for source in sources}
        texts = ORDER[composer].split(reply.text)
        whole = "".join(parts.get(text, text) for text in texts)
        assert whole == (await client.get(f"{locale}/pages/home?{query}", "ann")).text


@pytest.mark.parametrize("composer", ["esi", "ssi"])
async def test_a_layout_for_a_proxy_is_stored_by_its_own_scope_and_never_unchanged(
    client: Client, composer: str
) -> None:
    reply = await client.get(f"/pages/home?compose={composer}", "ann", if_none_match="*")
    assert reply.status_code == 200
    assert reply.headers["cdn-cache-control"].startswith("max-age=")
    assert reply.headers["cache-control"] == "private, no-cache"
    assert "etag" not in reply.headers
    assert (await client.get("/pages/home", "ann")).headers["cache-control"] == "private, no-store"


async def test_an_unknown_composer_is_tessera(client: Client) -> None:
    assert (await client.get("/pages/home?compose=php")).text == (await client.get("/pages/home")).text


async def test_whatever_is_at_hand_is_streamed_in_its_place(client: Client, world: World) -> None:
    whole = await client.get("/pages/home?q=x", "ann")
    streamed = await client.get("/pages/home?q=x&compose=stream", "ann")
    assert streamed.text == whole.text
    assert streamed.headers["cache-control"] == "private, no-store"
    assert "etag" not in streamed.headers


Message = dict[str, Any]


async def streamed(client: Client, leave_after: bytes | None = None, query: bytes = b"compose=stream") -> list[Message]:
    """Ask for a streamed page as a server does, and return what it sent, with the times of the loop in seconds.

    The reader is gone once it was sent ``leave_after``.
    """
    app: Any = client.http._transport
    sent: list[Message] = []
    clock, gone = asyncio.get_running_loop().time, asyncio.Event()
    began = clock()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append({**message, "after_s": clock() - began})
        if leave_after is not None and leave_after in message.get("body", b""):
            gone.set()

    scope = {"type": "http", "method": "GET", "path": "/pages/home", "query_string": query, "headers": []}
    await app.app(scope, receive, send)
    return sent


async def test_a_slow_fragment_holds_nothing_up_and_is_filled_in(
    client: Client, world: World, time: LoopTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.renderer.streaming.PATIENCE_S", 2.5)
    world.hanging.add("items")
    asked = asyncio.ensure_future(streamed(client))
    await time.let_pass_until(asked)
    sent = await asked
    bodies = [message.get("body", b"") for message in sent]
    text = b"".join(bodies).decode()
    place, filling = '<main><?start name="rail-1"><?end></main>', '<template for="rail-1"></template><script>'
    assert text.index(place) < text.index("<hr>") < text.index("<p>end</p>") < text.index(filling)
    assert text.endswith("</script></body></html>")
    late_s = next(each["after_s"] for each in sent if filling.encode() in each.get("body", b""))
    before_s = next(each["after_s"] for each in sent if b"<p>end</p>" in each.get("body", b""))
    assert before_s < DEADLINE_S / 2 < DEADLINE_S <= late_s


@pytest.mark.parametrize("path", ["/pages/home", "/pages/home?compose=stream"])
async def test_a_page_with_a_hanging_upstream_is_whole_at_its_deadline(
    client: Client, world: World, time: LoopTime, path: str
) -> None:
    world.hanging.add("items")
    await client.get("/fragments/home/hero")
    asked = asyncio.ensure_future(client.get(path))
    took_s = await time.let_pass_until(asked)
    reply = await asked
    assert "<ul>" not in reply.text
    assert reply.text.count("<h2>") == 2
    assert DEADLINE_S <= took_s < 1.5 * DEADLINE_S


async def test_nothing_goes_on_for_a_reader_who_has_gone(client: Client, world: World) -> None:
    world.hanging.add("items")
    before = asyncio.all_tasks()
    clock = asyncio.get_running_loop().time
    began = clock()
    sent = await streamed(client, leave_after=b"<p>end</p>")
    assert clock() - began < 0.9 * DEADLINE_S
    assert b"<p>end</p>" in b"".join(message.get("body", b"") for message in sent)
    assert all(message.get("more_body", True) for message in sent[1:])
    for _ in range(10):
        await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() - before if "SingleFlight" not in repr(task)]
    assert left == []  # but for the call itself, which others may wait for, too


EIGHT = """
    page: home
    layouts: [{use: main}]
    slots:
      a: {default: {template: rail.liquid, items: popular}}
      b: {default: {template: rail.liquid, items: mine}}
      c: {default: {template: name.liquid}}
      d: {default: {template: rail.liquid, items: popular}}
      e: {unique: true, default: {template: rail.liquid, items: popular}}
      f: {unique: true, default: {template: rail.liquid, items: mine}}
      g: {default: {template: cart.liquid}}
      h: {default: {template: both.liquid, items: popular}}
"""


@pytest.mark.parametrize("composer", ["buffer", "stream"])
async def test_a_page_of_eight_slots_asks_once_for_each_distinct_demand(
    tmp_path: Path, world: World, composer: str
) -> None:
    more = {
        "home/layouts/main.liquid": "".join(f"{{{{ slots.{slot} }}}}" for slot in "abcdefgh"),
        "cart.liquid": "{{ cart.value.amount }}",
        "both.liquid": "{{ visitor.first_name }}{{ items.size }}{{ cart.value.amount }}",
    }
    folder = write_site(tmp_path, {"home.yaml": EIGHT}, {**TEMPLATES, **more})
    world.lists["ann"] = ["B", "A"]
    async with client_of(folder, world) as client:
        page = await client.get(f"/pages/home?compose={composer}", "ann")
        assert page.text.count("Ann") == 2
        asked = [(source, getattr(what, "kind", "")) for source, what in world.calls if source != "catalogue"]
        assert sorted(asked) == [("cart", ""), ("items", "personal"), ("items", "popular"), ("profile", "")]
