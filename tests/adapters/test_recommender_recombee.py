"""Recombee: what is sent, byte for byte, and what is made of each shape of reply."""

import asyncio
import hashlib
import hmac
import json
import re
import string
import time
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
import respx

from tessera.adapters.client import Client
from tessera.adapters.recommender_recombee import RecombeeOptions, RecombeeRecommender, signed
from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceTimeout, SourceUnavailable
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
async def test_an_item_that_recombee_refuses_to_recommend_by_is_none_to_recommend_by(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {"code": 400, "json": {"error": "itemId does not match"}}
    upstream.post(url__startswith=HOST).respond(json=[{"code": 200, "json": REPLY}, refused])
    adapter = recommender(client, monkeypatch)
    found = await adapter.items(ListQuery("related", 3, to=("one", "odd name")))
    assert [each.id for each in found.items] == ["a", "b"]
    upstream.post(url__startswith=HOST).respond(json=[refused, refused])
    with pytest.raises(SourceGarbled, match="status 400"):
        await adapter.items(ListQuery("related", 3, to=("odd", "odd name")))


def rails(visitor_id: str = WITHIN, *, apart: bool = True) -> list[ListQuery]:
    """Return what a page with three lists of a visitor asks for."""
    return [ListQuery("personal", 2, visitor_id, name=name, apart=apart) for name in ("new", "mine", "again")]


def part(identity: str, *ids: str) -> dict[str, object]:
    return {"code": 200, "json": {"recommId": identity, "recomms": [{"id": each} for each in ids]}}


@upstream
@pytest.mark.parametrize("apart", [True, False])
async def test_lists_of_one_visitor_go_out_in_one_signed_batch(
    client: Client, monkeypatch: pytest.MonkeyPatch, apart: bool
) -> None:
    replies = [part("r-1", "a", "b"), part("r-2", "c"), {"code": 404, "json": {"error": "no such user"}}]
    route = upstream.post(url__startswith=f"{HOST}/shop-dev/batch/?").respond(json=replies)
    adapter = recommender(client, monkeypatch)
    found = await asyncio.gather(*map(adapter.items, rails(apart=apart)))
    assert [[(each.id, each.attribution) for each in one.items] for one in found] == [
        [("a", "r-1"), ("b", "r-1")],
        [("c", "r-2")],
        [],
    ]
    assert [one.status for one in found] == ["fresh", "fresh", "empty"]
    assert len(upstream.calls) == 1
    assert body_of(route) == {
        "requests": [
            {
                "method": "POST",
                "path": f"/recomms/users/{WITHIN}/items/",
                "params": {"count": 2, "cascadeCreate": False, "scenario": name},
            }
            for name in ("new", "mine", "again")
        ],
        "distinctRecomms": apart,
    }
    target = route.calls.last.request.url.raw_path.decode()
    moment = int(re.findall("hmac_timestamp=([0-9]+)", target)[0])
    assert target == signed("/shop-dev/batch/", b"t0ken", moment)


@upstream
@pytest.mark.parametrize(
    ("code", "failure"),
    [(500, SourceUnavailable), (429, SourceUnavailable), (400, SourceGarbled), (None, SourceGarbled)],
)
async def test_a_list_of_a_batch_that_fails_fails_alone(
    client: Client, monkeypatch: pytest.MonkeyPatch, code: int | None, failure: type[SourceError]
) -> None:
    replies = [part("r-1", "a"), {"code": code, "json": {"error": f"of {WITHIN}"}}, part("r-3", "c")]
    upstream.post(url__startswith=HOST).respond(json=replies)
    adapter = recommender(client, monkeypatch)
    found = await asyncio.gather(*map(adapter.items, rails()), return_exceptions=True)
    assert [type(each) for each in found] == [Recommendations, failure, Recommendations]
    assert WITHIN not in str(found[1])


@upstream
@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ({"status_code": 500}, SourceUnavailable),
        ({"status_code": 404, "json": {"error": "no such database"}}, SourceGarbled),
        ({"json": [part("r-1", "a"), part("r-2", "b")]}, SourceGarbled),
        ({"json": {"recomms": []}}, SourceGarbled),
    ],
    ids=["500", "404", "one short", "no list"],
)
async def test_a_batch_that_fails_is_a_failure_of_each_list(
    client: Client, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any], failure: type[SourceError]
) -> None:
    route = upstream.post(url__startswith=HOST).respond(**fault)
    adapter = recommender(client, monkeypatch)
    found = await asyncio.gather(*map(adapter.items, rails()), return_exceptions=True)
    assert [type(each) for each in found] == [failure] * 3
    assert len(set(map(id, found))) == 3  # each is counted by whoever asked
    assert len(route.calls) == 1


@upstream
@pytest.mark.parametrize("client", [0.05], indirect=True)
async def test_a_batch_that_hangs_is_a_timeout_of_each_list(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    upstream.post(url__startswith=HOST).mock(side_effect=httpx.ReadTimeout)
    adapter = recommender(client, monkeypatch)
    found = await asyncio.gather(*map(adapter.items, rails()), return_exceptions=True)
    assert [type(each) for each in found] == [SourceTimeout] * 3


@upstream
async def test_a_list_that_nobody_waits_for_any_more_does_not_take_the_others_along(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def answer(_request: httpx.Request) -> httpx.Response:
        begun.set()
        await go_on.wait()
        return httpx.Response(200, json=[part("r-1", "a"), part("r-2", "b"), part("r-3", "c")])

    upstream.post(url__startswith=f"{HOST}/shop-dev/batch/?").mock(side_effect=answer)
    adapter = recommender(client, monkeypatch)
    asking = [asyncio.ensure_future(adapter.items(each)) for each in rails()]
    await begun.wait()
    asking[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking[0]
    go_on.set()
    assert [[each.id for each in (await one).items] for one in asking[1:]] == [["b"], ["c"]]


@upstream
async def test_no_two_visitors_nor_everybodys_lists_share_a_batch(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        batch = json.loads(request.content).get("requests")
        users = re.findall("/users/([a-z]+)/", str(batch if batch is not None else request.url.path))
        replies = [part(f"r-{user}", f"of-{user}") for user in users]
        return httpx.Response(200, json=replies if batch is not None else replies[0]["json"])

    upstream.post(url__startswith=HOST).mock(side_effect=answer)
    adapter = recommender(client, monkeypatch)
    shared = [POPULAR, ListQuery("category", 3, category="tents", name="in")]
    mixed = [*shared, *(each for pair in zip(rails("ann"), rails("bob"), strict=True) for each in pair)]
    found = await asyncio.gather(*map(adapter.items, mixed))
    assert [[each.id for each in one.items] for one in found] == [
        [f"of-{query.visitor_id or 'everybody'}"] for query in mixed
    ]
    sent = [f"{call.request.url.path} {call.request.content.decode()}" for call in upstream.calls]
    assert sorted(tuple(re.findall("/users/([a-z]+)/", each)) for each in sent) == [
        ("ann",) * 3,
        ("bob",) * 3,
        ("everybody",),
        ("everybody",),
    ]


@upstream
async def test_lists_to_be_kept_apart_go_without_those_that_are_wanted_as_they_are(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = [part("r", "a")] * 3
    route = upstream.post(url__startswith=f"{HOST}/shop-dev/batch/?").respond(json=replies)
    adapter = recommender(client, monkeypatch)
    await asyncio.gather(*map(adapter.items, [*rails(), *rails(apart=False)]))
    assert sorted(body_of(route, call)["distinctRecomms"] for call in range(len(route.calls))) == [False, True]


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
