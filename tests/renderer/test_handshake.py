"""The context handshake: an edge keeps one copy for each thing that is shown, and nobody gets another's."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import Profile
from tests.support.client import Client, client_of, settings_for_tests
from tests.support.fakes import World, item
from tests.support.sites import write_site

PAGE = """
    page: home
    slots:
      tier:
        default: {template: plain.liquid}
        rules:
          - name: Gold
            when: visitor.tier == "gold"
            show: {template: gold.liquid}
          - name: Early
            during: {hours: "09:00-10:30", zone: UTC}
            show: {template: early.liquid}
      rail:
        default: {template: rail.liquid, items: popular}
        budget: 3
        rules:
          - name: Phones
            when: device.type == "mobile"
            show: nothing
      name:
        default: {template: name.liquid}
      same:
        default: {template: plain.liquid}
"""
TEMPLATES = {
    "plain.liquid": "plain",
    "gold.liquid": "gold",
    "early.liquid": "early",
    "name.liquid": "{{ visitor.first_name }}",
    "rail.liquid": "{% for item in items %}{{ item.title }}{% endfor %}",
}
PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36"
STORED = "max-age=60, stale-while-revalidate=30, stale-if-error=600"


def world() -> World:
    tiers = {"ann": "gold", "bob": "silver", "cid": "none", "dan": "gold"}
    profiles = {name: Profile({"first_name": name, "tier": tier}, frozenset()) for name, tier in tiers.items()}
    return World(profiles=profiles, lists={"popular": ["A"]}, catalogue={"A": item("A")})


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with client_of(write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES), world()) as client:
        yield client


async def told(client: Client, visitor: str | None, **headers: str) -> dict[str, str]:
    reply = await client.get("/context/home", visitor, **headers)
    assert reply.status_code == 204
    return dict(member.split("=", 1) for member in reply.headers["tessera-context"].split(", "))


async def shown(client: Client, slot: str, visitor: str | None, digest: str, **headers: str) -> httpx.Response:
    return await client.get(f"/fragments/home/{slot}", visitor, x_tessera_digest=digest, **headers)


async def test_each_slot_has_its_word(client: Client) -> None:
    words = await told(client, "ann")
    assert list(words) == ["tier", "rail", "name", "same"]
    assert (words["name"], words["same"]) == ("private", "public")
    assert words["tier"].startswith("d")
    assert words["tier"] != words["rail"]


async def test_whoever_is_shown_the_same_has_the_same_digest(client: Client) -> None:
    digests = {visitor: (await told(client, visitor))["tier"] for visitor in ("ann", "bob", "cid", "dan")}
    assert digests["ann"] == digests["dan"] != digests["bob"]
    assert digests["bob"] == digests["cid"]


async def test_a_digest_that_is_right_lets_the_edge_store_and_the_browser_ask_again(client: Client) -> None:
    reply = await shown(client, "tier", "ann", (await told(client, "ann"))["tier"])
    assert reply.text == "gold"
    assert reply.headers["cache-control"] == "private, no-cache"
    assert reply.headers["cdn-cache-control"] == STORED
    assert reply.headers["vary"] == "X-Tessera-Digest"


@pytest.mark.parametrize("digest", ["", "private", "dAAAAAAAAAAAAAAAAAAAA", "d\xff", "d" * 5000])
async def test_a_digest_that_is_wrong_gets_the_right_answer_and_nobody_stores_it(client: Client, digest: str) -> None:
    headers = [(name.encode(), value.encode()) for name, value in client.headers("ann").items()]
    carried = (b"x-tessera-digest", digest.encode("latin-1"))
    reply = await client.http.get("/fragments/home/tier", headers=[*headers, carried])
    assert reply.text == "gold"
    assert reply.headers["cache-control"] == "private, no-store"
    assert reply.headers["cdn-cache-control"] == reply.headers["surrogate-control"] == "no-store"
    assert reply.headers["x-accel-expires"] == "0"
    assert reply.headers["vary"] == "X-Tessera-Digest"


async def test_a_digest_of_another_visitor_or_slot_is_wrong(client: Client) -> None:
    bob = await told(client, "bob")
    for digest in (bob["tier"], bob["rail"]):
        reply = await shown(client, "tier", "ann", digest)
        assert (reply.text, reply.headers["cache-control"]) == ("gold", "private, no-store")


async def test_a_private_slot_is_never_stored_whatever_is_carried(client: Client) -> None:
    reply = await shown(client, "name", "ann", "private")
    assert (reply.text, reply.headers["cache-control"]) == ("ann", "private, no-store")
    assert "vary" not in reply.headers


async def test_a_stand_in_has_no_digest(client: Client) -> None:
    client.world.failing["profile"] = SourceUnavailable("profile", "down")
    words = await told(client, "ann")
    assert words["tier"] == "private"
    assert words["rail"].startswith("d")


async def test_what_shows_nothing_has_a_digest_too(client: Client) -> None:
    digest = (await told(client, None, user_agent=PHONE))["rail"]
    reply = await shown(client, "rail", None, digest, user_agent=PHONE)
    assert (reply.text, reply.headers["cdn-cache-control"]) == ("", STORED)


async def test_the_handshake_holds_no_longer_than_what_it_tells(client: Client) -> None:
    reply = await client.get("/context/home", "bob")
    assert reply.headers["cdn-cache-control"] == "max-age=10"
    assert reply.headers["cache-control"] == "private, no-cache"
    client.clock.append(client.clock[0].replace(minute=29, second=56))
    assert (await client.get("/context/home", "bob")).headers["cdn-cache-control"] == "max-age=4"


async def test_the_handshake_varies_on_what_may_change_it(client: Client) -> None:
    vary = (await client.get("/context/home", "ann")).headers["vary"].split(", ")
    assert "Cookie" in vary
    assert "User-Agent" in vary
    assert "Accept-Language" not in vary


async def test_a_page_that_is_not_there_has_no_context(client: Client) -> None:
    assert (await client.get("/context/nowhere")).status_code == 404


async def test_a_digest_in_the_url_serves_caches_that_ignore_vary(tmp_path: Path) -> None:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, world(), settings=settings_for_tests(edge={"kind": "cloudflare"})) as client:
        digest = (await told(client, "ann"))["tier"]
        in_url = await client.get(f"/fragments/home/tier?tessera_digest={digest}", "ann")
        assert (in_url.text, in_url.headers["cdn-cache-control"]) == ("gold", STORED)
        assert "vary" not in in_url.headers
        in_header = await shown(client, "tier", "ann", digest)
        assert in_header.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("kind", "first", "surrogate"),
    [("nginx", ("x-accel-expires", "60"), None), ("fastly", ("cache-control", "private, no-cache"), STORED)],
)
async def test_each_edge_is_told_in_its_own_words(
    tmp_path: Path, kind: str, first: tuple[str, str], surrogate: str | None
) -> None:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, world(), settings=settings_for_tests(edge={"kind": kind})) as client:
        reply = await shown(client, "tier", "ann", (await told(client, "ann"))["tier"])
        names = ("x-accel-expires", "cache-control", "cdn-cache-control")
        told_in_order = [(name, value) for name, value in reply.headers.items() if name in names]
        assert told_in_order[0] == first
        assert reply.headers.get("surrogate-control") == surrogate
        assert reply.headers["cdn-cache-control"] == STORED


async def test_a_slot_beyond_its_budget_is_shared_by_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, world(), fresh_s=0, grace_s=0) as client:
        words = []
        for number in range(5):
            client.world.catalogue["A"] = item("A", title=f"Tent {number}")
            words.append((await told(client, "bob"))["rail"])
        assert all(word.startswith("d") for word in words[:3])
        assert words[3:] == ["private", "private"]
        assert caplog.messages == ["home/rail: more than 3 different answers; it is shared by nobody"]
        client.clock.append(client.clock[0].replace(minute=2))
        assert (await told(client, "bob"))["rail"].startswith("d")


LAYOUTS = """
    page: home
    layouts:
      - use: gold
        when: visitor.tier == "gold"
      - use: main
    slots:
      same: {default: {template: plain.liquid}}
"""


async def test_a_layout_that_varies_has_a_digest_and_is_stored_by_it_alone(tmp_path: Path) -> None:
    layouts = {"home/layouts/gold.liquid": "<b>{{ slots.same }}</b>", "home/layouts/main.liquid": "{{ slots.same }}"}
    async with client_of(write_site(tmp_path, {"home.yaml": LAYOUTS}, {**TEMPLATES, **layouts}), world()) as client:
        digests = {visitor: (await told(client, visitor))["layout"] for visitor in ("ann", "bob", "dan")}
        assert digests["ann"] == digests["dan"] != digests["bob"]
        for carried, stored in ((digests["ann"], True), (digests["bob"], False), ("", False)):
            reply = await client.get("/pages/home?compose=esi", "ann", x_tessera_digest=carried)
            assert reply.text == '<b><esi:include src="/fragments/home/same"/></b>'
            assert (reply.headers.get("cdn-cache-control") == STORED) is stored
            assert ("no-store" in reply.headers["cache-control"]) is not stored
            assert reply.headers["vary"] == "X-Tessera-Digest"
