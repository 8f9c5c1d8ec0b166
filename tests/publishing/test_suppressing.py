"""Suppressing a visitor: whoever asks, wherever and from when on, nothing is asked, shown or stored of them."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from support.faulty import Faulty

from tessera.adapters.sqlite import OF_VISITORS, STORE, prepare
from tessera.app import make_app
from tessera.cli.main import tessera
from tessera.renderer.core.labels import visitor_tag
from tessera.renderer.core.notices import Notice
from tessera.renderer.noticeboard import Noticeboard
from tessera.renderer.reload import LiveSite
from tests.support.client import SECRET, browser, consenting, running, settings_for_tests
from tests.support.sites import FACTS, load, write_site

TOKEN = "a token for tests only"
MAY = {"authorization": f"Bearer {TOKEN}"}
GOLD = b'{"traits": {"tier": "gold"}}'
PAGE = """
    page: home
    slots:
      hero:
        default: {template: hello.liquid}
        rules:
          - name: Gold
            when: visitor.tier == "gold"
            show: {template: gold.liquid}
      greeting:
        default: {template: hello.liquid}
        rules:
          - name: Refused
            when: consent.personalization == "denied"
            show: {template: refused.liquid}
          - name: Known
            when: visitor.known
            show: {template: known.liquid}
"""
SEEN = "      banner.seen: {type: integer, source: events, event: shown, of: winter, window: 7 days}\n"
TEMPLATES = {"hello.liquid": "Hello", "gold.liquid": "Gold", "known.liquid": "Known", "refused.liquid": "Refused"}


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    prepare(tmp_path / "state" / STORE)
    return tmp_path / "state"


@asynccontextmanager
async def served(state_dir: Path, mode: str = "production", **tables: object) -> AsyncIterator[httpx.AsyncClient]:
    """One process of a site."""
    folder = write_site(
        state_dir / "site",
        {"home.yaml": PAGE, "facts.yaml": FACTS.replace("    item:\n", SEEN + "    item:\n")},
        TEMPLATES,
    )
    given = {"admin_token": TOKEN, "edge_secret": "an edge's secret", "visitors": {"plain_cookie": "uid"}, **tables}
    settings = settings_for_tests(server={"state_dir": state_dir, "mode": mode}, **given)
    async with running(make_app(settings, LiveSite.fixed(load(folder)), {})) as app, browser(app) as http:
        yield http


def asking(who: str, how: str = "signed") -> dict[str, str]:
    """Return the headers with which a visitor asks who consents."""
    if how == "edge":
        edge = {"x-tessera-edge-secret": "an edge's secret", "x-tessera-visitor": who}
        return {"cookie": "tessera_consent=granted", **edge}
    sent = consenting(who)
    return {**sent, "cookie": f"tessera_consent=granted; uid={who}"} if how == "plain" else sent


async def shown(server: httpx.AsyncClient, who: str, slot: str = "greeting", how: str = "signed") -> str:
    return (await server.get(f"/fragments/home/{slot}", headers=asking(who, how))).text


async def test_who_is_suppressed_is_one_who_refused_in_all_processes_and_after_a_restart(state_dir: Path) -> None:
    async with served(state_dir) as one, served(state_dir) as two:
        for server in (one, two):
            assert [await shown(server, who) for who in ("ann", "ann", "bob")] == ["Known"] * 3
        done = await one.delete("/-/visitors/ann?suppress=true&by=dpo", headers=MAY)
        assert (done.status_code, done.json()["waiting"]) == (200, {})
        for server in (one, two):
            for how in ("signed", "plain", "edge"):
                assert await shown(server, "ann", how=how) == "Refused"
                assert await shown(server, "bob", how=how) == "Known"
            assert (await server.post("/visitor", headers=asking("ann"))).status_code == 403
    async with served(state_dir) as server:
        assert [await shown(server, who) for who in ("ann", "bob")] == ["Refused", "Known"]
        back = await server.post("/-/visitors/ann?suppress=false&by=dpo", headers=MAY)
        assert (back.status_code, back.json()) == (200, {"waiting": {}})
        assert [await shown(server, who) for who in ("ann", "bob")] == ["Known", "Known"]
    async with served(state_dir) as server:
        assert await shown(server, "ann") == "Known"


async def test_nothing_is_fetched_about_them_nor_stored(state_dir: Path) -> None:
    async with Faulty(GOLD) as upstream:
        profiles = {"adapter": "http", "url": upstream.url + "/{visitor_id}", "deadline_ms": 5000}
        async with served(state_dir, profiles=profiles) as server:
            assert await shown(server, "ann", "hero") == "Gold"
            assert (await server.delete("/-/visitors/ann?suppress=true", headers=MAY)).status_code == 200
            assert await shown(server, "ann", "hero") == "Hello"
            report = {"event": "shown", "of": "winter"}
            told = await server.post("/events", json=report, headers=asking("ann"))
            assert told.status_code == 204
            assert upstream.calls == 1
            assert (await server.post("/events", json=report, headers=asking("bob"))).status_code == 201
            assert (await server.post("/-/visitors/ann?suppress=false", headers=MAY)).status_code == 200
            assert await shown(server, "ann", "hero") == "Gold"
    store = sqlite3.connect(state_dir / STORE)
    counts = [
        store.execute(f"SELECT COUNT(*) FROM {each} WHERE visitor_id = 'ann'").fetchone()[0] for each in OF_VISITORS
    ]
    store.close()
    assert counts == [0] * len(OF_VISITORS)


async def test_the_first_request_after_a_notice_obeys_it(state_dir: Path) -> None:
    board = Noticeboard(state_dir)
    tag = visitor_tag("ann", SECRET)
    async with served(state_dir) as server:
        assert [await shown(server, "ann") for _ in range(2)] == ["Known", "Known"]
        board.append(Notice("suppress", (tag,)))
        assert await shown(server, "ann") == "Refused"
        board.append(Notice("unsuppress", (tag,)))
        posted = await server.post("/visitor", headers=asking("ann"))  # not a GET: it has to look, too
        assert posted.status_code == 204
        board.append(Notice("suppress", (visitor_tag("bob", SECRET),)))
        assert [await shown(server, who) for who in ("ann", "bob")] == ["Known", "Refused"]
    board.close()


async def test_who_missed_notices_reads_again_who_is_suppressed(state_dir: Path) -> None:
    async with served(state_dir) as server:
        assert await shown(server, "ann") == "Known"
        assert (await server.delete("/-/visitors/bob?suppress=true", headers=MAY)).status_code == 200
        with sqlite3.connect(state_dir / STORE) as store:
            store.execute("INSERT INTO suppressed VALUES (?)", (visitor_tag("ann", SECRET),))
        store.close()
        (state_dir / "notices" / "log.jsonl").write_text("broken\n")
        Noticeboard(state_dir).append(Notice("look"))
        assert [await shown(server, who) for who in ("ann", "bob", "cid")] == ["Refused", "Refused", "Known"]


async def test_what_is_kept_is_no_id(state_dir: Path) -> None:
    async with served(state_dir) as server:
        for path in ("maren-the-visitor?suppress=true&by=dpo", "maren-the-visitor?suppress=true"):
            assert (await server.delete(f"/-/visitors/{path}", headers=MAY)).json()["rows"] == 0
        assert (await server.post("/-/visitors/maren-the-visitor?suppress=false", headers=MAY)).status_code == 200
    tag = visitor_tag("maren-the-visitor", SECRET)
    recorded = [json.loads(line) for line in (state_dir / "purges.jsonl").read_text().splitlines()]
    kinds = [(line.get("kind", "purge"), line["by"]) for line in recorded]
    assert kinds == [
        ("suppress", "dpo"),
        ("purge", "dpo"),
        ("suppress", "admin token"),
        ("purge", "admin token"),
        ("unsuppress", "admin token"),
    ]
    assert all(line["tags"] == [tag] for line in recorded)
    kept = b"".join(file.read_bytes() for file in state_dir.glob("tessera.sqlite*"))
    assert b"maren-the-visitor" not in kept


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "ann?suppress=yes", 400),
        ("DELETE", "?suppress=true", 400),
        ("POST", "ann", 400),
        ("POST", "ann?suppress=true", 400),
        ("POST", "?suppress=false", 400),
    ],
)
async def test_what_is_no_order_does_nothing(state_dir: Path, method: str, path: str, status: int) -> None:
    async with served(state_dir) as server:
        assert (await server.request(method, f"/-/visitors/{path}", headers=MAY)).status_code == status
        assert (await server.request(method, f"/-/visitors/{path}")).status_code == 401
        assert await shown(server, "ann") == "Known"
    assert not (state_dir / "purges.jsonl").exists()


async def test_without_a_secret_nobody_can_be_suppressed(state_dir: Path) -> None:
    async with served(state_dir, "development", secret=None) as server:
        for refused in (
            await server.delete("/-/visitors/ann?suppress=true", headers=MAY),
            await server.post("/-/visitors/ann?suppress=false", headers=MAY),
        ):
            assert refused.status_code == 403
            assert "TESSERA_SECRET" in refused.json()["error"]


async def test_the_commands_reach_a_server_and_other_commands(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSERA_SECRET", SECRET)

    def run(*words: str) -> tuple[int, str]:
        place = ["--site", str(state_dir / "site"), "--state-dir", str(state_dir)]
        done = CliRunner().invoke(tessera, [*words, *place])
        return done.exit_code, done.output

    async with served(state_dir) as server:
        assert await shown(server, "ann") == "Known"
        code, said = await asyncio.to_thread(run, "erase", "ann", "--suppress")
        assert (code, said.splitlines()[1]) == (0, "ann is suppressed, until `tessera unsuppress`")
        assert await shown(server, "ann") == "Refused"
        code, said = await asyncio.to_thread(run, "render", "home/greeting", "--visitor", "ann")
        assert (code, said) == (0, "ann is suppressed\nRefused\n")
        code, said = await asyncio.to_thread(run, "probe", "profiles", "--visitor", "ann")
        assert (code, said) == (1, "ann is suppressed, so nobody is asked about them\n")
        assert await asyncio.to_thread(run, "unsuppress", "ann") == (0, "ann is suppressed no longer\n")
        assert await shown(server, "ann") == "Known"
