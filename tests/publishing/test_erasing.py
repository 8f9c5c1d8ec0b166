"""Erasing a visitor: from the store, upstream, and whatever remembers them; by whom, and what it answers."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from support.faulty import Faulty

from tessera.adapters.profiles_http import HttpProfiles
from tessera.adapters.sqlite import OF_VISITORS, STORE, Interaction, Seed, fill, prepare
from tessera.app import make_app
from tessera.cli.main import tessera
from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.reload import LiveSite
from tests.support.client import SECRET, browser, consenting, running, settings_for_tests
from tests.support.sites import GOLD_PAGE, GOLD_TEMPLATES, load, write_site

TOKEN = "a token for tests only"
MAY = {"authorization": f"Bearer {TOKEN}"}
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
VISITORS = ["ann", "bob", "a/b c"]


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A state folder whose store knows three visitors alike."""
    path = tmp_path / "state" / STORE
    prepare(path)
    traits = {"tier": "gold", "first_name": "Secretname"}
    bought = [Interaction(who, "T1", "purchase", NOW) for who in VISITORS]
    fill(path, Seed([], [(who, traits, []) for who in VISITORS], bought, [(who, [{"sku": "T1"}]) for who in VISITORS]))
    with sqlite3.connect(path) as store:
        for who in VISITORS:
            store.execute("INSERT INTO exposures VALUES (?, 'colours', '1', 'red', 'then')", (who,))
            store.execute("INSERT INTO events VALUES (?, 'home/hero', 'shown', 'then')", (who,))
    store.close()
    return path.parent


@asynccontextmanager
async def served(state_dir: Path, **tables: object) -> AsyncIterator[httpx.AsyncClient]:
    folder = write_site(state_dir / "site", GOLD_PAGE, GOLD_TEMPLATES)
    settings = settings_for_tests(server={"state_dir": state_dir}, **{"admin_token": TOKEN, **tables})
    async with running(make_app(settings, LiveSite.fixed(load(folder)), {})) as app, browser(app) as http:
        yield http


async def hero(server: httpx.AsyncClient, who: str) -> str:
    """Return what a visitor sees."""
    return (await server.get("/fragments/home/hero", headers=consenting(who))).text


def rows_of(state_dir: Path, who: str) -> list[int]:
    """Count what the store has of a visitor, table by table."""
    store = sqlite3.connect(state_dir / STORE)
    try:
        counts = [f"SELECT COUNT(*) FROM {table} WHERE visitor_id = ?" for table in OF_VISITORS]
        return [store.execute(count, (who,)).fetchone()[0] for count in counts]
    finally:
        store.close()


@pytest.mark.parametrize(("who", "path"), [("ann", "ann"), ("a/b c", "a%2Fb%20c")])
async def test_a_visitor_is_erased_and_nobody_else(state_dir: Path, who: str, path: str) -> None:
    async with served(state_dir) as server:
        assert [await hero(server, each) for each in VISITORS] == ["Gold Secretname"] * 3
        assert rows_of(state_dir, who) == [1, 1, 1, 1, 1]
        done = await server.delete(f"/-/visitors/{path}?by=dpo", headers=MAY)
        assert (done.status_code, done.headers["cache-control"]) == (200, "no-store")
        assert done.json() == {"notice": 1, "rows": 5, "upstream": [], "failed": {}, "waiting": {}}
        assert await hero(server, who) == "Hello"
        assert [await hero(server, each) for each in VISITORS if each != who] == ["Gold Secretname"] * 2
        again = await server.delete(f"/-/visitors/{path}", headers=MAY)
        assert (again.status_code, again.json()["rows"]) == (200, 0)
    assert rows_of(state_dir, who) == [0, 0, 0, 0, 0]
    recorded = [json.loads(line) for line in (state_dir / "purges.jsonl").read_text().splitlines()]
    assert [(line["by"], line["hard"]) for line in recorded] == [("dpo", True), ("admin token", True)]
    assert f'"visitor:{who}"' not in (state_dir / "purges.jsonl").read_text()


async def test_what_is_deleted_is_overwritten_in_the_file(state_dir: Path) -> None:
    async with served(state_dir) as server:
        for who in ("ann", "bob", "a%2Fb%20c"):
            assert (await server.delete(f"/-/visitors/{who}", headers=MAY)).status_code == 200
    assert b"Secretname" not in (state_dir / STORE).read_bytes()


async def test_what_is_on_its_way_meanwhile_is_not_remembered(state_dir: Path) -> None:
    async with Faulty(b'{"traits": {"tier": "gold", "first_name": "Ann"}}') as upstream:
        upstream.behaviour, upstream.delay_s = "slow", 0.1
        profiles = {"adapter": "http", "url": upstream.url + "/{visitor_id}", "deadline_ms": 5000}
        async with served(state_dir, profiles=profiles) as server:
            asked = asyncio.ensure_future(hero(server, "ann"))
            await upstream.called.wait()
            assert (await server.delete("/-/visitors/ann", headers=MAY)).status_code == 200
            await asked
            upstream.behaviour, upstream.body = "answer", b"{}"
            assert await hero(server, "ann") == "Hello"
            assert upstream.calls == 2


async def test_an_upstream_that_can_erase_is_told_to(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    async def erase(_adapter: HttpProfiles, visitor_id: str) -> None:
        told.append(visitor_id)

    monkeypatch.setattr(HttpProfiles, "erase", erase, raising=False)
    async with served(state_dir, profiles={"adapter": "http", "url": "http://127.0.0.1:1/"}) as server:
        done = await server.delete("/-/visitors/ann", headers=MAY)
    assert (done.status_code, done.json()["upstream"], told) == (200, ["profiles"], ["ann"])


async def test_where_an_upstream_fails_the_rest_is_erased_and_it_is_named(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def erase(_adapter: HttpProfiles, visitor_id: str) -> None:
        raise SourceUnavailable("profile", "answered with status 500")

    monkeypatch.setattr(HttpProfiles, "erase", erase, raising=False)
    async with served(state_dir, profiles={"adapter": "http", "url": "http://127.0.0.1:1/"}) as server:
        done = await server.delete("/-/visitors/ann", headers=MAY)
    assert (done.status_code, done.json()["failed"]) == (503, {"profiles": "profile: answered with status 500"})
    assert rows_of(state_dir, "ann") == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("token", ["", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
async def test_nobody_erases_without_the_token(state_dir: Path, token: str) -> None:
    async with served(state_dir) as server:
        refused = await server.delete("/-/visitors/ann", headers={"authorization": token})
        assert refused.status_code == 401
        assert (await server.delete("/-/visitors/", headers=MAY)).status_code == 400
    assert rows_of(state_dir, "ann") == [1, 1, 1, 1, 1]


async def test_without_a_token_in_the_settings_there_is_no_such_route(state_dir: Path) -> None:
    async with served(state_dir, admin_token=None) as server:
        assert (await server.delete("/-/visitors/ann", headers=MAY)).status_code == 404


def test_the_command_says_what_it_reached(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_SECRET", SECRET)
    folder = write_site(state_dir / "site", GOLD_PAGE, GOLD_TEMPLATES)
    arguments = ["erase", "ann", "--site", str(folder), "--state-dir", str(state_dir), "--by", "dpo"]
    done = CliRunner().invoke(tessera, arguments)
    assert (done.exit_code, done.output) == (0, "erased ann: 5 rows here (notice 1)\n")
    (state_dir / STORE).write_bytes(b"this is no database" * 1000)
    failed = CliRunner().invoke(tessera, arguments)
    assert failed.exit_code == 1
    assert failed.output.startswith("nothing can be erased: ")
