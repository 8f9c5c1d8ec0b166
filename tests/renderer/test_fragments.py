"""A fragment, from the request to the bytes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tessera.renderer.core.ports import Cart, ListQuery, Profile
from tessera.renderer.understand import cart_signer
from tests.support.client import CART_SECRET, EDGE_SECRET, Client, client_of
from tests.support.fakes import World, item
from tests.support.sites import write_site

PAGE = """
    page: home
    params: {campaign: {type: enumeration, one_of: [none, winter], default: none}, q: {type: string}}
    layouts:
      - use: wide
        when: visitor.tier == "gold"
      - use: plain
    slots:
      hero:
        default: {template: home/hero.liquid, cta: plain}
        rules:
          - name: Gold
            when: visitor.tier == "gold"
            show: {template: home/gold.jinja, cta: look}
          - name: Phones
            when: device.type == "mobile"
            show: {template: home/phone.liquid}
      rail:
        default: {template: home/rail.jinja, items: popular}
        rules:
          - name: Known
            when: visitor.known
            show: {items: mine}
      campaign:
        default: nothing
        rules:
          - name: Winter
            when: param.campaign == "winter"
            show: {template: home/campaign.liquid}
      echo:
        default: {template: home/echo.jinja}
      basket:
        default: nothing
        rules:
          - name: Full
            when: cart.value > 50.00
            show: {template: home/basket.jinja}
"""
TEMPLATES = {
    "home/hero.liquid": "<h1>Hello</h1><a href='{{ cta.url }}'>{{ cta.text }}</a>",
    "home/gold.jinja": "<h1>Hello {{ visitor.first_name }}</h1><a href='{{ cta.url }}'>{{ cta.text }}</a>",
    "home/phone.liquid": "<h1>Small hello</h1>",
    "home/rail.jinja": "<ul>{% for item in items %}<li>{{ item.title }}</li>{% endfor %}</ul>",
    "home/campaign.liquid": "<p>Winter in {{ geo.country }}</p>",
    "home/echo.jinja": "<p>{{ param.q }}</p>",
    "home/basket.jinja": "<p>{{ cart.value | money(locale) }}</p>",
    "home/layouts/wide.jinja": "<main class=wide>{{ slots.rail }}{{ slots.hero }}</main>",
    "home/layouts/plain.liquid": "<main>{{ slots.hero }}|{{ slots.rail }}</main>",
}


@pytest.fixture
def world() -> World:
    return World(
        profiles={
            "ann": Profile({"tier": "gold", "first_name": "Ann <3"}),
            "bob": Profile({"tier": "silver"}),
            "odd": Profile({"tier": "diamond", "first_name": ["x"]}),
        },
        lists={"popular": ["A", "B", "GONE", "C"], "ann": ["C"]},
        catalogue={sku: item(sku, f"Item {sku}") for sku in "ABC"},
        carts={"ann": Cart((), 5001, "EUR"), "bob": Cart((), 5000, "EUR")},
    )


@pytest.fixture
async def client(tmp_path: Path, world: World) -> AsyncIterator[Client]:
    async with client_of(write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES), world) as client:
        yield client


async def test_a_stranger_gets_the_default(client: Client, world: World) -> None:
    reply = await client.get("/fragments/home/hero")
    assert reply.status_code == 200
    assert reply.text == "<h1>Hello</h1><a href='/pages/home'>Go</a>"
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "set-cookie" not in reply.headers
    assert world.calls == []


async def test_a_rule_on_a_trait_decides_and_markup_in_it_is_escaped(client: Client) -> None:
    reply = await client.get("/fragments/home/hero", "ann")
    assert reply.text == "<h1>Hello Ann &lt;3</h1><a href='/pages/home?from='>Look</a>"


async def test_a_visitor_who_is_not_in_the_rule_gets_the_next(client: Client) -> None:
    assert (await client.get("/fragments/home/hero", "bob", sec_ch_ua_mobile="?1")).text == "<h1>Small hello</h1>"


async def test_a_value_that_does_not_fit_its_type_is_unknown(client: Client) -> None:
    assert "<h1>Hello</h1>" in (await client.get("/fragments/home/hero", "odd")).text


async def test_the_cta_speaks_the_visitors_language_and_knows_the_place(client: Client) -> None:
    edge = {"x_tessera_edge_secret": EDGE_SECRET, "x_geo_country": "D&E"}
    reply = await client.get("/fragments/home/hero", "ann", accept_language="de", **edge)
    assert reply.text.endswith("<a href='/pages/home?from=D%26E'>Schau</a>")
    assert "Schau" in (await client.get("/de/fragments/home/hero", "ann")).text


async def test_a_place_that_does_not_come_from_the_edge_is_not_believed(client: Client) -> None:
    reply = await client.get("/fragments/home/hero", "ann", x_geo_country="DE")
    assert "from='" in reply.text


async def test_only_what_is_demanded_is_fetched(client: Client, world: World) -> None:
    await client.get("/fragments/home/campaign?campaign=winter", "ann")
    await client.get("/fragments/home/echo", "ann")
    assert world.calls == []
    await client.get("/fragments/home/hero", "ann")
    assert world.calls == [("profile", "ann")]


async def test_a_list_is_completed_by_the_catalogue(client: Client, world: World) -> None:
    reply = await client.get("/fragments/home/rail")
    assert reply.text == "<ul><li>Item A</li><li>Item B</li></ul>"
    assert world.calls == [("items", ListQuery("popular", 3, name="popular")), ("catalogue", ("A", "B", "GONE"))]


async def test_a_personal_list_falls_back_where_it_is_empty(client: Client) -> None:
    assert (await client.get("/fragments/home/rail", "ann")).text == "<ul><li>Item C</li></ul>"
    assert (await client.get("/fragments/home/rail", "bob")).text == "<ul><li>Item A</li><li>Item B</li></ul>"


async def test_the_second_request_is_answered_from_memory(client: Client, world: World) -> None:
    first = await client.get("/fragments/home/rail", "ann")
    calls = len(world.calls)
    second = await client.get("/fragments/home/rail", "ann")
    assert second.text == first.text
    assert len(world.calls) == calls


async def test_nothing_is_an_empty_fragment(client: Client) -> None:
    reply = await client.get("/fragments/home/campaign")
    assert (reply.status_code, reply.text, reply.headers["content-length"]) == (200, "", "0")


@pytest.mark.parametrize("query", ["", "?q=%3Cscript%3E&q=2", "?x=1&q=%3Cscript%3E", "?q=%3Cscript%3E&_=9"])
async def test_undeclared_and_repeated_parameters_reach_nothing(client: Client, query: str) -> None:
    reply = await client.get(f"/fragments/home/echo{query}")
    assert reply.text == ("<p>&lt;script&gt;</p>" if query else "<p></p>")
    assert "Winter" not in (await client.get(f"/fragments/home/campaign{query}")).text


async def test_a_parameter_that_does_not_fit_is_unknown(client: Client) -> None:
    assert (await client.get("/fragments/home/campaign?campaign=summer")).text == ""


@pytest.mark.parametrize("query", ["%", "%ff=%ff", "q=%ff%00", "&".join(["q=1"] * 200), "q", "=&=&", "q=" + "x" * 5000])
async def test_no_query_is_an_error(client: Client, query: str) -> None:
    assert (await client.get(f"/fragments/home/echo?{query}")).status_code == 200


async def test_a_cart_over_the_threshold_counts_to_the_cent(client: Client) -> None:
    assert (await client.get("/fragments/home/basket", "ann")).text == "<p>€50.01</p>"
    assert (await client.get("/fragments/home/basket", "bob")).text == ""


async def test_a_cart_signed_by_the_shop_outranks_the_store(client: Client, world: World) -> None:
    signed = cart_signer(CART_SECRET).dumps({"value": {"amount": 9900, "currency": "EUR"}})
    assert isinstance(signed, str)
    assert (await client.get("/fragments/home/basket", "bob", x_tessera_cart=signed)).text == "<p>€99.00</p>"
    assert (await client.get("/fragments/home/basket", None, x_tessera_cart=signed)).text == "<p>€99.00</p>"
    assert world.calls == []
    forged = signed[:-2] + "AA"
    assert (await client.get("/fragments/home/basket", "bob", x_tessera_cart=forged)).text == ""


async def test_a_page_is_its_layout_filled_with_its_slots(client: Client) -> None:
    plain = await client.get("/pages/home")
    assert plain.text == (
        "<main><h1>Hello</h1><a href='/pages/home'>Go</a>|<ul><li>Item A</li><li>Item B</li></ul></main>"
    )
    wide = await client.get("/pages/home", "ann")
    assert wide.text.startswith("<main class=wide><ul><li>Item C</li></ul><h1>Hello Ann &lt;3</h1>")


async def test_a_pages_slots_share_one_call_for_the_profile(client: Client, world: World) -> None:
    await client.get("/pages/home", "ann")
    assert [source for source, _ in world.calls].count("profile") == 1


@pytest.mark.parametrize(
    "path", ["/pages/nowhere", "/fragments/home/nothing", "/fragments/nowhere/hero", "/fragments/"]
)
async def test_an_unknown_page_or_slot_is_a_404_with_a_short_body(client: Client, path: str) -> None:
    reply = await client.get(path)
    assert reply.status_code == 404
    assert len(reply.text) < 40


@pytest.mark.parametrize("path", ["/fragments/home/hero/x.css", "/fragments/home/hero/", "/xx/fragments/home/hero"])
async def test_a_path_with_more_to_it_is_not_a_fragment(client: Client, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_only_get_and_head_are_answered(client: Client) -> None:
    reply = await client.http.post("/fragments/home/hero")
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD")


async def test_head_is_get_without_the_body(client: Client) -> None:
    _, got = await client.get("/pages/home"), await client.get("/pages/home")
    head = await client.http.head("/pages/home")
    assert head.content == b""
    assert dict(head.headers) == dict(got.headers)


@pytest.mark.parametrize("path", ["/fragments/home/hero", "/pages/home", "/fragments/home/campaign"])
async def test_the_entity_tag_answers_with_304(client: Client, path: str) -> None:
    tag = (await client.get(path)).headers["etag"]
    for held in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        reply = await client.get(path, if_none_match=held)
        assert (reply.status_code, reply.content, reply.headers["etag"]) == (304, b"", tag)
    assert (await client.get(path, if_none_match='"x"')).status_code == 200


async def test_different_bytes_have_different_entity_tags(client: Client) -> None:
    tags = {(await client.get("/fragments/home/hero", who)).headers["etag"] for who in (None, "ann")}
    assert len(tags) == 2


async def test_without_consent_no_profile_is_fetched(client: Client, world: World) -> None:
    signed = client.headers("ann")["cookie"]
    for cookie in (signed.replace("granted", "denied"), signed.replace("tessera_consent=granted; ", "")):
        reply = await client.http.get("/pages/home", headers={"cookie": cookie})
        assert "<h1>Hello</h1>" in reply.text
    refused = await client.get("/pages/home", "ann", sec_gpc="1")
    assert "<h1>Hello</h1>" in refused.text
    assert "profile" not in [source for source, _ in world.calls]


async def test_a_crawler_gets_what_strangers_get(client: Client, world: World) -> None:
    agent = "Mozilla/5.0 (Linux; Android 6.0.1) Mobile Safari/537.36 (compatible; Googlebot/2.1)"
    reply = await client.get("/fragments/home/hero", "ann", user_agent=agent)
    assert "<h1>Hello</h1>" in reply.text
    assert world.calls == []


async def test_health(client: Client) -> None:
    assert (await client.get("/healthz")).text == "ok\n"
    assert (await client.get("/readyz")).json() == {"ready": True, "site": client.live.current().version}
