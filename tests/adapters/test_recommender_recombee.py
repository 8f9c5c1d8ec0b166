"""Recombee: what is sent, byte for byte, and what is made of each shape of reply."""

import asyncio
import hashlib
import hmac
import re
import string
import time
from urllib.parse import unquote

import pytest
import respx

from tessera.adapters.client import Client
from tessera.adapters.recommender_recombee import RecombeeOptions, RecombeeRecommender, signed
from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import ListQuery, Recommendations, Recommended
from tests.support.reach import reach_of
from tests.support.vendors import WITHIN, body_of

HOST = "https://rapi-eu-west.recombee.com"
PERSONAL = ListQuery("personal", 3, WITHIN, name="for-you")
POPULAR = ListQuery("popular", 3, name="bestsellers")
RELATED = ListQuery("related", 3, to=("tv 1/2",), name="goes-with")
REPLY = {"recommId": "r-1", "recomms": [{"id": "a"}, {"id": "b"}, {"id": "a"}, {}, 7], "numberNextRecommsCalls": 0}

upstream = respx.mock(using="httpx", assert_all_called=False)


def recommender(client: Client, monkeypatch: pytest.MonkeyPatch, **settings: object) -> RecombeeRecommender:
    monkeypatch.setenv("RECOMBEE_TOKEN", "t0ken")
    return RecombeeRecommender(RecombeeOptions.model_validate({"database": "shop-dev", **settings}), reach_of(client))


def test_the_signature_is_that_of_the_path_and_the_time() -> None:
    # echo -n '/db/recomms/users/u%201/items/?hmac_timestamp=1700000000' | openssl dgst -sha1 -hmac secret
    path = "/db/recomms/users/u%201/items/"
    assert signed(path, b"secret", 1_700_000_000) == (
        f"{path}?hmac_timestamp=1700000000&hmac_sign=95fab39c9b5d78d9b84bb37b70c265b29af9d530"
    )


@pytest.mark.parametrize("seed", ["tv 1/2", "shop:tv@home.example", string.punctuation, "ü%2e%2F?#"])
async def test_what_is_signed_is_what_goes_over_the_wire(monkeypatch: pytest.MonkeyPatch, seed: str) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 14\r\n\r\n{"recomms":[]}')
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, Client() as client:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        found = await recommender(client, monkeypatch, url=url).items(RELATED._replace(to=(seed,)))
    assert found == Recommendations((), 1800)
    target = asked[0].split(b" ")[1]
    path, sign = target.split(b"&hmac_sign=")
    whole = re.fullmatch(r"/shop-dev/recomms/items/([^/?#]+)/items/\?hmac_timestamp=\d+", path.decode())
    assert whole is not None
    assert unquote(whole[1]) == seed
    assert abs(int(path.rpartition(b"=")[2]) - time.time()) < 30
    assert sign.decode() == hmac.digest(b"t0ken", path, hashlib.sha1).hex()


@upstream
async def test_a_personal_list_keeps_the_order_and_the_id_for_feedback(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = upstream.post(url__startswith=f"{HOST}/shop-dev/recomms/users/{WITHIN}/items/?").respond(json=REPLY)
    found = await recommender(client, monkeypatch).items(PERSONAL)
    assert found == Recommendations((Recommended("a", attribution="r-1"), Recommended("b", attribution="r-1")), 1800)
    assert (found.status, found.attributions) == ("fresh", ("r-1",))
    assert body_of(route) == {"count": 3, "cascadeCreate": False, "scenario": "for-you"}


@pytest.mark.parametrize(
    ("query", "settings", "path", "sent"),
    [
        (POPULAR, {}, "users/everybody", {"scenario": "bestsellers", "logic": "recombee:popular"}),
        (POPULAR, {"scenarios": {"popular": "top"}, "logics": {}}, "users/everybody", {"scenario": "top"}),
        (RELATED, {}, "items/tv%201%2F2", {"scenario": "goes-with", "targetUserId": "everybody"}),
        (
            ListQuery("category", 3, category="tents", name="in"),
            {"everybody": "all", "create_users": True, "logics": {}, "category_property": "group"},
            "users/all",
            {"scenario": "in", "cascadeCreate": True, "filter": "'group' == \"tents\""},
        ),
        (
            PERSONAL,
            {"fields": {"title": "name"}, "scenarios": {"for-you": "mine", "personal": "any"}},
            f"users/{WITHIN}",
            {"scenario": "mine", "returnProperties": True, "includedProperties": ["name"]},
        ),
    ],
    ids=["popular", "own scenarios", "related", "category", "whole items"],
)
@upstream
async def test_each_kind_is_a_call_of_its_own(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    query: ListQuery,
    settings: dict[str, object],
    path: str,
    sent: dict[str, object],
) -> None:
    route = upstream.post(url__startswith=f"{HOST}/shop-dev/recomms/{path}/items/?").respond(json=REPLY)
    await recommender(client, monkeypatch, **settings).items(query)
    assert body_of(route) == {"count": 3, "cascadeCreate": False, **sent}


@upstream
async def test_several_items_are_asked_about_in_one_batch_without_repeats(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = [["x", "one"], ["y", "z"]]
    parts = [{"recommId": f"r-{n}", "recomms": [{"id": each} for each in ids]} for n, ids in enumerate(lists)]
    replies = [*({"code": 200, "json": part} for part in parts), {"code": 404, "json": {"error": "no such item"}}]
    route = upstream.post(url__startswith=f"{HOST}/shop-dev/batch/?").respond(json=replies)
    found = await recommender(client, monkeypatch).items(ListQuery("related", 3, to=("one", "two", "gone")))
    assert [(each.id, each.attribution) for each in found.items] == [("x", "r-0"), ("y", "r-1"), ("z", "r-1")]
    assert found.attributions == ("r-0", "r-1")
    sent = body_of(route)
    assert sent["distinctRecomms"] is True
    assert [each["path"] for each in sent["requests"]] == [f"/recomms/items/{n}/items/" for n in ("one", "two", "gone")]


@upstream
async def test_a_part_of_a_batch_that_fails_is_a_failure(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    upstream.post(url__startswith=HOST).respond(json=[{"code": 200, "json": REPLY}, {"code": 503, "json": {}}])
    with pytest.raises(SourceUnavailable):
        await recommender(client, monkeypatch).items(ListQuery("related", 3, to=("one", "two")))


@upstream
async def test_fields_come_from_declared_properties(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = {"recommId": "r", "recomms": [{"id": "tv", "values": {"name": "4K TV"}}, {"id": "b", "values": "odd"}]}
    upstream.post(url__startswith=HOST).respond(json=reply)
    found = await recommender(client, monkeypatch, fields={"title": "name"}).items(POPULAR)
    assert [each.fields for each in found.items] == [{"title": "4K TV"}, {"title": None}]


@upstream
@pytest.mark.parametrize("category", ['x" or true or "', "a\\", "it's", "a\nb"])
async def test_a_category_cannot_become_a_filter_of_its_own(
    client: Client, monkeypatch: pytest.MonkeyPatch, category: str
) -> None:
    route = upstream.post(url__startswith=HOST).respond(json=REPLY)
    found = await recommender(client, monkeypatch).items(ListQuery("category", 3, category=category))
    assert found == Recommendations()
    assert not route.called


@upstream
@pytest.mark.parametrize("seed", ["", ".", ".."])
async def test_an_id_cannot_lead_elsewhere(client: Client, monkeypatch: pytest.MonkeyPatch, seed: str) -> None:
    found = await recommender(client, monkeypatch).items(RELATED._replace(to=(seed,)))
    assert found == Recommendations()


@upstream
async def test_items_that_are_named_are_not_asked_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await recommender(client, monkeypatch).items(ListQuery("lookup", 2, to=("c", "a", "b")))
    assert [each.id for each in found.items] == ["c", "a"]


@upstream
@pytest.mark.parametrize("status", [200, 404])
async def test_a_visitor_is_erased_by_a_signed_call(
    client: Client, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    route = upstream.delete(url__startswith=HOST).respond(status, text="ok")
    await recommender(client, monkeypatch).erase("a/b")
    target = route.calls.last.request.url.raw_path.decode()
    path, _, _ = target.partition("?")
    assert path == "/shop-dev/users/a%2Fb"
    assert target == signed(path, b"t0ken", int(re.findall("hmac_timestamp=([0-9]+)", target)[0]))


@upstream
async def test_an_erasure_that_fails_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    upstream.delete(url__startswith=HOST).respond(503)
    with pytest.raises(SourceUnavailable):
        await recommender(client, monkeypatch).erase("ann")
