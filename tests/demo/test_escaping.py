"""Markup in every trait, item field and parameter arrives escaped, on every page of the demo."""

from collections.abc import AsyncIterator, Mapping
from html.parser import HTMLParser
from itertools import product
from urllib.parse import quote

import pytest

from tessera.cli.site import DEMO
from tessera.demo.seed import items
from tessera.renderer.core.ports import Cart, CartLine, Profile
from tests.support.client import Client, client_of
from tests.support.fakes import World
from tests.support.sites import load

EVIL = """"'><evil onevil=1></title></style></script><!--#evil--><esi:evil/>{{evil}}{%evil%}"""
SITE = load(DEMO)
TEXTS = [field.name.removeprefix("item.") for field in SITE.ruleset.item_fields.values() if field.type == "string"]
TRAITS: dict[str, object] = {
    str(fact.trait): EVIL for fact in SITE.ruleset.facts.values() if fact.source == "profile" and fact.type == "string"
}
TIERS = ("none", "gold")
QUERIES = ("", "sku=TENT-001", f"sku={quote(EVIL)}&category={quote(EVIL)}&campaign={quote(EVIL)}", "category=tents")


class Tags(HTMLParser):
    """Finds markup that data brought in."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if "evil" in tag or any("evil" in name for name in names):
            self.found.append(f"{tag} {names}")

    def handle_comment(self, data: str) -> None:
        if "evil" in data:
            self.found.append(data)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    catalogue: dict[str, Mapping[str, object]] = {
        str(item["sku"]): {**item, **dict.fromkeys(TEXTS, EVIL)} for item in items()
    }
    skus = list(catalogue)[:8]
    lines = tuple(CartLine(sku, 1) for sku in skus[:3])
    world = World(
        profiles={
            tier: Profile(
                {**TRAITS, "tier": tier, "returning": True, "sessions_30d": 9}, frozenset(SITE.ruleset.segments)
            )
            for tier in TIERS
        },
        lists={**dict.fromkeys(("popular", "related", "category", "lookup", *TIERS), skus)},
        catalogue=catalogue,
        carts=dict.fromkeys(TIERS, Cart(lines, 6_000, "EUR")),
    )
    async with client_of(SITE, world) as client:
        yield client


@pytest.mark.parametrize(("page", "query"), list(product(SITE.pages, QUERIES)))
async def test_no_data_becomes_markup(client: Client, page: str, query: str) -> None:
    paths = [f"/pages/{page}", *(f"/fragments/{page}/{slot}" for slot in SITE.pages[page].slots)]
    for path, visitor in product(paths, (None, *TIERS)):
        reply = await client.get(f"{path}?{query}", visitor)
        assert reply.status_code == 200
        assert "tessera-fallback" not in reply.headers, reply.headers["tessera-fallback"]
        assert "<evil" not in reply.text
        assert "<!--#evil" not in reply.text
        assert "<esi:" not in reply.text
        tags = Tags()
        tags.feed(reply.text)
        assert tags.found == []


async def test_the_data_does_arrive(client: Client) -> None:
    assert "&lt;evil onevil=1&gt;" in (await client.get("/pages/home", "gold")).text
