"""Many fragments in one request, each as if it had been asked for alone."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tessera.renderer.core.ports import Profile
from tests.support.client import EDGE_SECRET, Client, client_of
from tests.support.fakes import World, item
from tests.support.sites import write_site

PAGE = """
    page: home
    params: {q: {type: string}}
    slots:
      name: {default: {template: name.liquid}}
      rail: {default: {template: rail.liquid, items: popular}}
      more: {default: {template: rail.liquid, items: popular}}
      echo: {default: {template: echo.liquid}}
      same: {default: {template: same.liquid}}
"""
TEMPLATES = {
    "name.liquid": "<p>{{ visitor.first_name }}</p>",
    "rail.liquid": "<ul>{% for item in items %}<li>{{ item.title }}</li>{% endfor %}</ul>",
    "echo.liquid": "<i>{{ param.q }}</i>",
    "same.liquid": "<b>same</b>",
}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    profiles = {name: Profile({"first_name": name}, frozenset()) for name in ("ann", "bob")}
    world = World(profiles=profiles, lists={"popular": ["A"]}, catalogue={"A": item("A")})
    async with client_of(write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES), world) as client:
        yield client


Wanted = dict[str, object]


async def ask(client: Client, *wanted: Wanted, form: str = "json", stream: bool = False) -> httpx.Response:
    body = {"fragments": [{"page": "home", **each} for each in wanted], "as": form, "stream": stream}
    return await client.http.post("/fragments", json=body, headers=client.headers("ann"))


async def test_each_has_what_it_would_have_alone(client: Client) -> None:
    wanted: list[Wanted] = [
        {"slot": "name"},
        {"slot": "echo", "params": {"q": "<x>"}},
        {"slot": "nowhere"},
        {"slot": "same"},
    ]
    await ask(client, *wanted)
    reply = await ask(client, *wanted)  # each of them at hand, as it is below
    told = reply.json()["fragments"]
    alone = [
        await client.get(path, "ann")
        for path in (
            "/fragments/home/name",
            "/fragments/home/echo?q=%3Cx%3E",
            "/fragments/home/nowhere",
            "/fragments/home/same",
        )
    ]
    assert [(each["status"], each["body"], each["headers"]) for each in told] == [
        (each.status_code, each.text, dict(each.headers)) for each in alone
    ]
    assert reply.headers["cache-control"] == "private, no-store"


async def test_upstreams_are_asked_once(client: Client) -> None:
    await ask(client, {"slot": "rail"}, {"slot": "more"}, {"slot": "rail"}, {"slot": "name"}, {"slot": "name"})
    assert sorted(source for source, _ in client.world.calls) == ["catalogue", "items", "profile"]


async def test_what_all_may_share_is_told_with_the_shortest_lifetime(client: Client) -> None:
    reply = await ask(client, {"slot": "same"}, {"slot": "echo"})
    assert reply.headers["cache-control"] == "public, max-age=60"
    assert (await ask(client, {"slot": "same"}, {"slot": "gone"})).headers["cache-control"] == "private, no-store"


async def test_an_edge_asks_for_several_visitors_and_nobody_else_does(client: Client) -> None:
    wanted = [{"page": "home", "slot": "name", "visitor": name} for name in ("ann", "bob")]
    headers = {"cookie": "tessera_consent=granted"}
    with_secret = await client.http.post(
        "/fragments", json={"fragments": wanted}, headers={**headers, "x-tessera-edge-secret": EDGE_SECRET}
    )
    assert [each["body"] for each in with_secret.json()["fragments"]] == ["<p>ann</p>", "<p>bob</p>"]
    without = await client.http.post("/fragments", json={"fragments": wanted}, headers=headers)
    assert [each["body"] for each in without.json()["fragments"]] == ["<p></p>", "<p></p>"]


async def test_one_that_is_held_already_is_not_sent_again(client: Client) -> None:
    (first,) = (await ask(client, {"slot": "name"})).json()["fragments"]
    (again,) = (await ask(client, {"slot": "name", "etag": first["headers"]["etag"]})).json()["fragments"]
    assert (again["status"], again["body"]) == (304, "")


@pytest.mark.parametrize(
    ("form", "kind", "body"),
    [
        (
            "turbo-stream",
            "text/vnd.turbo-stream.html; charset=utf-8",
            '<turbo-stream action="update" target="home-same"><template><b>same</b></template></turbo-stream>\n'
            '<turbo-stream action="update" target="x&quot;"><template><p>ann</p></template></turbo-stream>\n',
        ),
        (
            "hx-partial",
            "text/html; charset=utf-8",
            '<hx-partial hx-target="#home-same"><b>same</b></hx-partial>\n'
            '<hx-partial hx-target="#x&quot;"><p>ann</p></hx-partial>\n',
        ),
        (
            "template",
            "text/html; charset=utf-8",
            '<template for="home-same"><b>same</b></template>\n<template for="x&quot;"><p>ann</p></template>\n',
        ),
    ],
)
async def test_each_form_of_html(client: Client, form: str, kind: str, body: str) -> None:
    wanted: list[Wanted] = [{"slot": "same"}, {"slot": "gone"}, {"slot": "name", "target": 'x"'}]
    reply = await ask(client, *wanted, form=form)
    assert (reply.headers["content-type"], reply.text) == (kind, body)
    streamed = await ask(client, *wanted, form=form, stream=True)
    assert sorted(streamed.text.splitlines()) == sorted(body.splitlines())


async def test_parts_carry_their_own_headers(client: Client) -> None:
    reply = await ask(client, {"slot": "same"}, {"slot": "gone"}, form="multipart")
    kind, _, boundary = reply.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/mixed"
    first, second = reply.text.split(f"--{boundary}")[1:3]
    assert first.startswith("\r\nstatus: 200\r\ncontent-location: /fragments/home/same\r\n")
    assert first.endswith("\r\n\r\n<b>same</b>\r\n")
    assert second.startswith("\r\nstatus: 404\r\n")
    assert reply.text.endswith(f"--{boundary}--\r\n")


async def test_a_stream_of_json_has_a_line_for_each(client: Client) -> None:
    reply = await ask(client, {"slot": "same"}, {"slot": "name"}, stream=True)
    assert reply.headers["content-type"] == "application/x-ndjson"
    assert reply.headers["cache-control"] == "private, no-store"
    assert {json.loads(line)["body"] for line in reply.text.splitlines()} == {"<b>same</b>", "<p>ann</p>"}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "the body: invalid JSON: EOF while parsing a value at line 1 column 0\n"),
        (b"[]", 400, "the body: input should be an object\n"),
        (b'{"fragments":[{"page":"home","slot":"a\\r\\nx: y"}]}', 400, "fragments.0.slot: string should match"),
        (b'{"fragments":[{"page":"home","slot":"a","x":1}]}', 400, "fragments.0.x: extra inputs are not permitted\n"),
        (b'{"fragments":[],"as":"pdf"}', 400, "as: input should be 'json', 'multipart'"),
        (b'{"fragments":[' + b'{"page":"h","slot":"s"},' * 50 + b'{"page":"h","slot":"s"}]}', 400, "fragments: tuple"),
        (b"x" * 70_000, 413, "A batch has at most 65,536 bytes.\n"),
    ],
)
async def test_a_body_that_is_no_batch_is_refused(client: Client, body: bytes, status: int, said: str) -> None:
    reply = await client.http.post("/fragments", content=body)
    assert reply.status_code == status
    assert reply.text.startswith(said)
