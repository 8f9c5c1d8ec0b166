"""Disks, stores and Redis that fail or are full, upstreams that misbehave: the page stands, and all goes on after."""

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
import redis as client_of_redis
from support.faulty import Faulty

from tessera.adapters.sqlite import STORE, Seed, fill, prepare
from tessera.app import make_app
from tessera.renderer.breaker import MIN_CALLS
from tessera.renderer.noticeboard import Noticeboard
from tessera.renderer.reload import LiveSite
from tests.support.client import browser, consenting, running, settings_for_tests
from tests.support.redis import redis_server
from tests.support.sites import GOLD_PAGE, GOLD_TEMPLATES, load, write_site

TOKEN = "a token for tests only"


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    path = tmp_path / "state" / STORE
    prepare(path)
    fill(path, Seed([], [(f"v{n}", {"tier": "gold", "first_name": f"N{n}"}, []) for n in range(200)], [], []))
    return path.parent


@asynccontextmanager
async def served(state_dir: Path, **tables: object) -> AsyncIterator[httpx.AsyncClient]:
    folder = write_site(state_dir / "site", GOLD_PAGE, GOLD_TEMPLATES)
    settings = settings_for_tests(server={"state_dir": state_dir}, **{"admin_token": TOKEN, **tables})
    async with running(make_app(settings, LiveSite.fixed(load(folder)), {})) as app, browser(app) as http:
        yield http


async def hero(server: httpx.AsyncClient, number: int) -> httpx.Response:
    reply = await server.get("/fragments/home/hero", headers=consenting(f"v{number}"))
    assert reply.status_code == 200
    return reply


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow: every write fails, as on a disk that is full (setrlimit(2), RLIMIT_FSIZE)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_disk_that_takes_no_more_breaks_no_page(state_dir: Path) -> None:
    may = {"authorization": f"Bearer {TOKEN}"}
    recording = {"share": 1.0, "folder": state_dir / "recorded"}
    async with served(state_dir, recording=recording) as server:
        assert (await hero(server, 1)).text == "Gold N1"
        with full_disk():
            for number in range(2, 20):
                reply = await hero(server, number)
                assert (reply.text, reply.headers.get("tessera-fallback")) == (f"Gold N{number}", None)
            assert (await server.post("/-/purge", json={"everything": True}, headers=may)).status_code == 503
            assert (await server.delete("/-/visitors/v1", headers=may)).status_code == 503
            assert (await hero(server, 1)).text == "Gold N1"
        assert (await server.delete("/-/visitors/v1", headers=may)).status_code == 200
        assert (await hero(server, 1)).text == "Hello"


def test_a_board_is_not_begun_on_a_disk_that_is_full(tmp_path: Path) -> None:
    (tmp_path / "notices").mkdir()
    with full_disk(), pytest.raises(OSError, match="File too large"):
        Noticeboard(tmp_path)


async def test_a_store_that_cannot_be_read_is_an_upstream_that_fails(state_dir: Path) -> None:
    async with served(state_dir, profiles={"breaker_s": 3600}) as server:
        assert (await hero(server, 1)).text == "Gold N1"
        for name in (STORE, f"{STORE}-wal", f"{STORE}-shm"):
            if (state_dir / name).exists():
                (state_dir / name).write_bytes(b"\xff" * 65_536)
        causes = set()
        for number in range(2, 2 + 2 * MIN_CALLS):
            reply = await hero(server, number)
            assert reply.text == "Hello"
            causes.add(reply.headers["tessera-fallback"])
        assert causes == {'hero=default;cause="profile unavailable"', 'hero=default;cause="profile not asked"'}
        assert (await hero(server, 1)).text == "Gold N1"  # which is remembered


async def test_a_redis_that_is_full_is_one_that_is_away(state_dir: Path, tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        control = client_of_redis.Redis(port=redis.port)
        async with served(state_dir, redis={"url": redis.url}) as server:
            assert (await hero(server, 1)).text == "Gold N1"
            control.config_set("maxmemory", 1)
            for number in range(1, 20):
                reply = await hero(server, number)
                assert (reply.text, reply.headers.get("tessera-fallback")) == (f"Gold N{number}", None)
            may = {"authorization": f"Bearer {TOKEN}"}
            purged = await server.delete("/-/visitors/v1", headers=may)
            assert (purged.status_code, list(purged.json()["waiting"])) == (202, ["redis"])
            assert (await hero(server, 1)).text == "Hello"
            control.config_set("maxmemory", 0)
            assert (await hero(server, 1)).text == "Hello"
        control.close()


REFUSED = {"hang", "reset", "error"}
"""Behaviours for which an upstream is left alone; the others are answers, though not such as could be used."""


async def settled(upstream: Faulty) -> int:
    """Count the calls that an upstream had, once those have arrived that were given up on their way."""
    calls = -1
    while calls != upstream.calls:
        calls = upstream.calls
        await asyncio.sleep(0.05)
        for _ in range(20):  # also where all of that went by at one stroke
            await asyncio.sleep(0)
    return calls


@asynccontextmanager
async def before(upstream: Faulty, state_dir: Path, breaker_s: float) -> AsyncIterator[httpx.AsyncClient]:
    """Serve with profiles from an upstream. It is asked by many at one time, and no page is broken."""
    terms = {"deadline_ms": 500, "breaker_s": breaker_s, "retry_ms": 10}
    profiles = {"adapter": "http", "url": upstream.url + "/{visitor_id}", **terms}
    async with served(state_dir, profiles=profiles) as server:
        replies = await asyncio.gather(*(hero(server, number) for number in range(3 * MIN_CALLS)))
        assert {reply.text for reply in replies} <= {"Hello", "Gold Ann"}
        yield server


@pytest.mark.parametrize("behaviour", sorted(REFUSED))
async def test_an_upstream_that_refuses_is_left_alone(state_dir: Path, behaviour: str) -> None:
    async with Faulty() as upstream:
        upstream.behaviour = behaviour
        async with before(upstream, state_dir, breaker_s=3600) as server:
            calls = await settled(upstream)
            told = [(await hero(server, 50 + n)).headers["tessera-fallback"] for n in range(10)]
            assert all("not asked" in each for each in told)
            assert await settled(upstream) == calls


@pytest.mark.parametrize("behaviour", [*sorted(REFUSED), "nonsense", "bomb"])
async def test_whatever_an_upstream_does_the_page_stands_and_recovers(state_dir: Path, behaviour: str) -> None:
    async with Faulty(b'{"traits": {"tier": "gold", "first_name": "Ann"}}') as upstream:
        upstream.behaviour = behaviour
        async with before(upstream, state_dir, breaker_s=0.2) as server:
            upstream.behaviour = "answer"
            async with asyncio.timeout(5):
                number = 100
                while (await hero(server, number)).text != "Gold Ann":
                    await asyncio.sleep(0.02)
                    number = 100 + (number + 1) % 50
