"""`POST /-/purge`: who may, what is a purge, what it answers, and what it leaves on record."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tessera.app import make_app
from tessera.renderer.reload import LiveSite
from tests.support.client import SECRET, browser, running, settings_for_tests
from tests.support.ports import free_port
from tests.support.sites import load, write_site

TOKEN = "a token for tests only"
MAY = {"authorization": f"Bearer {TOKEN}"}
PAGE = "page: home\nslots:\n  hero: {default: {template: hero.liquid}}\n"


class Cache:
    """A cache downstream, at a real socket: what it was told, and what it answers first."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self.url = ""

    async def answer(self, purge: web.Request) -> web.Response:
        self.told.append(await purge.json())
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
async def cache() -> AsyncIterator[Cache]:
    cache, app = Cache(), web.Application()
    app.router.add_post("/all", cache.answer)
    async with TestServer(app) as listening:
        cache.url = str(listening.make_url("/all"))
        yield cache


@pytest.fixture
async def server(tmp_path: Path, cache: Cache, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """One worker with everything on: its state in a folder, a cache downstream where the test names none other."""
    tables = getattr(request, "param", {"downstream": [{"name": "cdn", "kind": "http", "url": cache.url}]})
    folder = write_site(tmp_path / "site", {"home.yaml": PAGE}, {"hero.liquid": "<p>hero</p>"})
    settings = settings_for_tests(server={"state_dir": tmp_path}, **{"admin_token": TOKEN, **tables})
    async with running(make_app(settings, LiveSite.fixed(load(folder)), {})) as app, browser(app, **MAY) as http:
        yield http


async def test_it_answers_with_what_it_touched(server: httpx.AsyncClient, cache: Cache, tmp_path: Path) -> None:
    assert (await server.get("/fragments/home/hero")).text == "<p>hero</p>"
    done = await server.post("/-/purge", json={"tags": ["slot:home/hero", "visitor:ann"], "by": "anna"})
    assert (done.status_code, done.json()) == (
        200,
        {"notice": 1, "workers": 1, "fragments": 1, "downstream": ["cdn"], "waiting": {}},
    )
    told = cache.told[-1]
    assert (told["hard"], len(told["labels"])) == (False, 4)
    assert {"slot:*", "slot:home/hero", "visitor:*"} < set(told["labels"])
    groups = done.headers["cache-group-invalidation"]
    assert groups == ", ".join(f'"{label}"' for label in told["labels"])
    await server.post("/-/purge", json={"everything": True, "hard": True})
    assert cache.told[-1] == {"labels": ["everything"], "hard": True}
    lines = [json.loads(line) for line in (tmp_path / "purges.jsonl").read_text().splitlines()]
    assert [(line["by"], line["notice"], line["hard"]) for line in lines] == [
        ("anna", 1, False),
        ("admin token", 2, True),
    ]
    assert lines[0]["tags"][0] == "slot:home/hero"
    assert "ann" not in lines[0]["tags"][1]
    assert lines[1]["tags"] == ["everything"]


async def test_what_is_not_reached_is_named_and_told_later(
    server: httpx.AsyncClient, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.publishing.carrier.FIRST_RETRY_S", 0.01)
    cache.statuses = [503]
    done = await server.post("/-/purge", json={"tags": ["item:A"]})
    assert (done.status_code, done.json()["waiting"]) == (202, {"cdn": "answered with status 503"})
    again = await server.post("/-/purge", json={"tags": ["item:B"]})
    assert (again.status_code, again.json()["downstream"]) == (200, ["cdn"])
    labels = {label for told in cache.told[1:] for label in told["labels"]}
    assert labels == {"item:*", "item:A", "item:B"}


@pytest.mark.parametrize(
    "server", [{"redis": {"url": f"redis://127.0.0.1:{free_port()}", "deadline_ms": 50}}], indirect=True
)
async def test_without_redis_it_is_202_and_names_it(server: httpx.AsyncClient) -> None:
    done = await server.post("/-/purge", json={"tags": ["item:A"]})
    assert (done.status_code, list(done.json()["waiting"])) == (202, ["redis"])


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xff"])
async def test_nobody_purges_without_the_token(server: httpx.AsyncClient, tmp_path: Path, token: str) -> None:
    sent = {b"authorization": token.encode("latin-1")}
    refused = await server.post("/-/purge", json={"everything": True}, headers=sent)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert SECRET not in refused.text
    assert not (tmp_path / "purges.jsonl").exists()


@pytest.mark.parametrize("server", [{"admin_token": None}], indirect=True)
async def test_without_a_token_in_the_settings_there_is_no_such_route(server: httpx.AsyncClient) -> None:
    assert (await server.post("/-/purge", json={"everything": True})).status_code == 404


@pytest.mark.parametrize("server", [{"admin_token": None, "admin": {"port": 9100}}], indirect=True)
async def test_a_port_of_its_own_is_not_enough_to_purge(server: httpx.AsyncClient) -> None:
    refused = await server.post("http://test:9100/-/purge", json={"everything": True})
    assert (refused.status_code, refused.json()) == (403, {"error": "purges need TESSERA_ADMIN_TOKEN to be set"})


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "a purge is a JSON object with tags or everything, and perhaps hard and by"),
        (b"[]", 400, "a purge is a JSON object with tags or everything, and perhaps hard and by"),
        (b"{}", 400, "name tags, or everything"),
        (b'{"tags": ["item:A"], "everything": true}', 400, "name tags, or everything"),
        (b'{"tags": ["item:A"], "hrad": true}', 400, "a purge is a JSON object"),
        (b'{"tags": ["itme:A"]}', 400, "`itme:A` is not a tag"),
        (b" " * 300_000, 413, "a purge has at most 262,144 bytes"),
    ],
)
async def test_what_is_no_purge_is_refused(server: httpx.AsyncClient, body: bytes, status: int, said: str) -> None:
    refused = await server.post("/-/purge", content=body)
    assert refused.status_code == status
    assert refused.json()["error"].startswith(said)
