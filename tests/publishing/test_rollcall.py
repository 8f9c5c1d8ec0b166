"""A purge on one machine waits for the workers of all that serve the site, and names those that do not answer."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tessera.adapters.machines_redis import RedisMachines
from tessera.adapters.redis import SharedRedis
from tessera.publishing.rollcall import AGAIN_S, RollCall
from tessera.renderer.attendance import Seat, attending
from tessera.renderer.noticeboard import Noticeboard
from tests.support.redis import RedisServer, redis_server
from tests.support.served import served

HOST = socket.gethostname()
TOKEN = "a token for tests only"
MAY = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as running:
        yield running


@pytest.fixture
async def redis(server: RedisServer) -> AsyncIterator[SharedRedis]:
    redis = SharedRedis(server.url, deadline_ms=30_000, retry_s=0)
    yield redis
    await redis.close()


def machines(redis: SharedRedis, site: str = "test") -> RedisMachines:
    return RedisMachines(redis, f"tessera:{site}:machines")


async def test_a_machine_has_obeyed_when_all_of_its_workers_have(tmp_path: Path, redis: SharedRedis) -> None:
    ann, ben = Noticeboard(tmp_path / "a"), Noticeboard(tmp_path / "b")
    asking, answering = RollCall(ann, machines(redis)), RollCall(ben, machines(redis))
    assert await asking.late(1, 0) == []  # nobody else is there
    seat = Seat(ben.folder, ben.number)
    assert await answering.answer({})
    ben.cell[0] = 1
    assert not await answering.answer({ann.name: 7})
    assert await asking.late(7, 0) == [HOST]
    seat.obeyed(1)
    waiting = asyncio.create_task(asking.late(7, 60))
    assert await answering.answer({ann.name: 7})
    assert await waiting == []
    assert await asking.late(8, 0) == [HOST]
    assert await answering.late(1, 0) == []  # nobody waits for themselves
    await answering.leave()
    assert await asking.late(8, 0) == []
    seat.close()


async def test_a_machine_says_the_same_again_only_to_be_thought_alive(tmp_path: Path, redis: SharedRedis) -> None:
    now = [0.0]
    board = Noticeboard(tmp_path)
    answering = RollCall(board, machines(redis), lambda: now[0])
    for now[0], said in ((0.0, True), (AGAIN_S - 1, False), (AGAIN_S, True)):
        await redis.run([("DEL", f"tessera:test:machines:{board.name}")])
        await answering.answer({})
        assert (board.name in await machines(redis).all()) is said
    await machines(redis).say("other", "no JSON")
    assert await RollCall(board, machines(redis)).late(1, 0) == ["other"]


def test_after_a_purge_the_workers_of_all_machines_have_obeyed(tmp_path: Path, server: RedisServer) -> None:
    shared = {"TESSERA_REDIS__URL": server.url, "TESSERA_ADMIN_TOKEN": TOKEN}

    def purge(address: str) -> httpx.Response:
        return httpx.post(f"{address}/-/purge", json={"everything": True}, headers=MAY)

    with served(tmp_path / "a", environment=shared) as ann:
        with served(tmp_path / "b", environment=shared):
            board = Noticeboard(tmp_path / "b")
            for _ in range(3):
                number = board.number
                done = purge(ann)
                assert (done.status_code, done.json()["waiting"]) == (200, {})
                assert [each.obeyed for each in attending(board.folder)] == [board.number]
                assert board.number > number
        assert purge(ann).status_code == 200  # who leaves is not waited for

        async def hang() -> None:
            redis = SharedRedis(server.url, deadline_ms=30_000)
            await machines(redis, "Tarnfell").say("x", json.dumps({"host": "other", "obeyed": {}}))
            await redis.close()

        asyncio.run(hang())
        done = purge(ann)
        waiting = {"machine other": "has not said yet that its workers have obeyed"}
        assert (done.status_code, done.json()["waiting"]) == (202, waiting)
