"""The catalogue from a JSON service: one call for all ids, and what is made of each shape of reply."""

import pytest
import respx

from tessera.adapters.catalogue_http import HttpCatalogue, HttpCatalogueOptions
from tessera.adapters.client import Client
from tests.support.reach import reach_of

URL = "https://shop.example/items"
TENT = {"id": "a", "title": "Tent", "price": 10, "shop": {"left": 3}}

upstream = respx.mock(using="httpx", assert_all_called=False)


def catalogue(client: Client, **settings: object) -> HttpCatalogue:
    options = HttpCatalogueOptions.model_validate({"url": URL + "?ids={ids}", **settings})
    return HttpCatalogue(options, reach_of(client))


@upstream
@pytest.mark.parametrize(
    ("reply", "settings"),
    [
        ({"items": [TENT, {"id": "not asked for"}, {"title": "nameless"}, 7]}, {}),
        ({"items": {"a": TENT, "not asked for": {}, "b/c": None}}, {}),
        ([TENT], {"items": ""}),
    ],
    ids=["a list", "an object", "the whole reply"],
)
async def test_items_are_asked_for_in_one_call(client: Client, reply: object, settings: dict[str, object]) -> None:
    route = upstream.get(url__startswith=URL).respond(json=reply)
    assert await catalogue(client, **settings).items(["a", "b/c"]) == {"a": {"sku": "a", **TENT}}
    assert [str(call.request.url) for call in route.calls] == [URL + "?ids=a%2Cb%2Fc"]


@upstream
async def test_fields_come_from_their_declared_places(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    route = upstream.get(url__startswith=URL).respond(json={"items": [TENT]})
    fields = {"title": "title", "in_stock": "shop.left", "badge": "shop.badge"}
    found = await catalogue(client, fields=fields, token_variable="SHOP_TOKEN").items(["a"])
    assert found == {"a": {"sku": "a", "title": "Tent", "in_stock": 3, "badge": None}}
    assert route.calls.last.request.headers["authorization"] == "Bearer s3cret"


@upstream
async def test_none_that_exist_are_none(client: Client) -> None:
    upstream.get(url__startswith=URL).respond(404)
    assert await catalogue(client).items(["a"]) == {}
