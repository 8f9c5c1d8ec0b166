"""Whoever refused personalization at their platform is answered, byte for byte, as whoever refused it here."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tessera.renderer.core.context import Context
from tessera.renderer.core.device import Device
from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import Cart, CartLine, Profile
from tessera.renderer.core.visitor import Visitor
from tessera.renderer.explain import Explanation, explain
from tessera.renderer.gather import Asked, Gatherer
from tessera.renderer.pipeline import Pipeline
from tests.support.client import NOW, Client, client_of
from tests.support.fakes import World, item
from tests.support.sites import write_site

PAGE = """
    page: home
    slots:
      tier:
        default: {template: hello.liquid}
        rules:
          - {name: Refused, when: consent.personalization == "denied", show: {template: refused.jinja}}
          - {name: Gold, when: visitor.tier == "gold", show: {template: tier.liquid}}
      rail:
        default: {template: titles.jinja, items: popular}
        rules:
          - {name: Known, when: visitor.known, show: {items: mine}}
      split:
        default: {template: hello.liquid}
        rules:
          - name: Colours
            split: {experiment: colours, arms: {red: {template: red.liquid}, blue: {template: red.liquid}}}
      cart:
        default: {template: hello.liquid}
        rules: [{name: Full, when: cart.value > 10.00, show: {template: tier.liquid}}]
      broken:
        default: {template: titles.jinja, items: mine}
        rules: [{name: Always, when: consent.personalization == "denied", show: {template: broken.jinja}}]
      plain: {default: {template: hello.liquid}}
"""
TEMPLATES = {
    "hello.liquid": "Hello",
    "refused.jinja": "Refused {{ visitor.known }}",
    "tier.liquid": "{{ visitor.tier }} {{ visitor.first_name }}",
    "titles.jinja": "{% for item in items %}{{ item.title }},{% endfor %}",
    "red.liquid": "{{ experiment.arm }}",
    "broken.jinja": "{{ 1 // 0 if locale else 2 }}",
}
SLOTS = ("tier", "rail", "split", "cart", "broken", "plain")
TRAITS = {"tier": "gold", "first_name": "Ann"}


@pytest.fixture
def world() -> World:
    return World(
        profiles={
            "ann": Profile(TRAITS, consents={"personalization": "denied"}),
            "bea": Profile(TRAITS, consents={"personalization": "granted"}),
            "gone": Profile(status="missing", consents={"personalization": "denied"}),
        },
        lists={"popular": ["A", "B"], "ann": ["C"], "bea": ["C"], "gone": ["C"]},
        catalogue={sku: item(sku) for sku in "ABC"},
        carts={who: Cart((CartLine("A", 1),), 5000, "EUR") for who in ("ann", "bea", "gone")},
    )


@pytest.fixture
async def client(tmp_path: Path, world: World) -> AsyncIterator[Client]:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, world, tell_consent=True) as client:
        yield client


async def as_one_who_refused(client: Client, slot: str) -> httpx.Response:
    return await client.http.get(f"/fragments/home/{slot}", headers={"cookie": "tessera_consent=denied"})


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("visitor", ["ann", "gone"])
async def test_they_get_what_whoever_refused_here_gets(client: Client, visitor: str, slot: str) -> None:
    expected = await as_one_who_refused(client, slot)
    for _ in range(3):  # asked for, remembered, and warm
        reply = await client.get(f"/fragments/home/{slot}", visitor)
        assert reply.status_code == 200
        assert reply.text == expected.text
        assert reply.headers.get("tessera-fallback") == expected.headers.get("tessera-fallback")


async def test_who_consented_there_is_personalized(client: Client) -> None:
    texts = [(await client.get(f"/fragments/home/{slot}", "bea")).text for slot in ("tier", "rail", "cart")]
    assert texts == ["gold Ann", "C,", "gold Ann"]


async def test_nothing_personal_is_asked_for_once_it_is_known(client: Client, world: World) -> None:
    await client.get("/fragments/home/tier", "ann")
    world.calls.clear()
    await asyncio.gather(*(client.get(f"/fragments/home/{slot}", "ann") for slot in SLOTS))
    assert "cart" not in [source for source, _ in world.calls]
    assert "ann" not in [getattr(what, "visitor_id", what) for _, what in world.calls]


async def test_what_is_nobodys_own_asks_for_no_profile(client: Client, world: World) -> None:
    await client.get("/fragments/home/plain", "ann")
    assert world.calls == []


async def test_where_profiles_say_nothing_of_consent_no_more_are_asked_for(tmp_path: Path, world: World) -> None:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, world) as client:
        assert (await client.get("/fragments/home/rail", "bea")).text == "C,"
        assert "profile" not in [source for source, _ in world.calls]


async def test_a_platform_that_fails_leaves_the_consent_that_was_given_here(client: Client, world: World) -> None:
    world.failing["profile"] = SourceUnavailable("profile", "down")
    reply = await client.get("/fragments/home/rail", "bea")
    assert reply.text == "C,"
    assert reply.headers["cache-control"] == "no-store"


async def explained(client: Client, visitor: Visitor) -> Explanation:
    site = client.live.current()
    context = Context.of(visitor, Device(), "en", site.declared)
    pipeline = Pipeline(Gatherer(client.world.sources(tell_consent=True)), client.fragments)
    return await explain(pipeline, Asked(context, site.declared, NOW), site, site.pages["home"].slots["tier"])


async def test_the_trace_says_so(client: Client) -> None:
    told = await explained(client, Visitor("ann", "granted"))
    assert told.trace.decision.rule == "Refused"
    assert "profile personalization refused: fresh, 0 s old" in told.to_text()
    assert "gold" not in told.to_text().split("known:")[1]


@pytest.mark.parametrize("visitor", [Visitor(None, "unknown"), Visitor(None, "denied"), Visitor(None, "granted", True)])
async def test_the_trace_says_where_no_profile_was_even_asked_for(client: Client, visitor: Visitor) -> None:
    told = await explained(client, visitor)
    assert [each.status for each in told.fetched] == ["skipped_no_consent"]
    assert "  profile: skipped_no_consent\n" in told.to_text()
    assert client.world.calls == []


@pytest.mark.parametrize(
    "headers", [{"user_agent": "Googlebot/2.1"}, {"sec_gpc": "1"}, {"cookie": "tessera_visitor=x"}]
)
async def test_for_crawlers_and_without_consent_no_platform_is_ever_called(
    client: Client, world: World, headers: dict[str, str]
) -> None:
    sent = client.headers("bea") | {name.replace("_", "-"): value for name, value in headers.items()}
    for slot in SLOTS:
        assert (await client.http.get(f"/fragments/home/{slot}", headers=sent)).status_code == 200
    assert {source for source, _ in world.calls} <= {"items", "catalogue"}
