"""The shared Redis, against a real one: down, killed, restarted, cut off, slow."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tessera.adapters.redis import SharedRedis
from tessera.renderer.core.errors import Away
from tests.support.loop_time import LoopTime
from tests.support.redis import RedisServer, redis_server

DEADLINE_MS = 60_000
"""Passes when told to."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as running:
        yield running


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_answers_are_as_redis_gave_them_in_order(server: RedisServer) -> None:
    redis = SharedRedis(server.url, DEADLINE_MS)
    answers = await redis.run(
        [
            ("SET", "k", b"\xff\x00"),
            ("GET", "k"),
            ("GET", "other"),
            ("SET", "k", "", "NX", "GET"),
            ("HSET", "h", "a", 1),
            ("HMGET", "h", "a", "b"),
            ("INCRBY", "n", 3),
        ]
    )
    assert answers == [b"OK", b"\xff\x00", None, b"\xff\x00", 1, [b"1", None], 3]
    await redis.close()


async def test_what_cannot_be_reached_is_left_alone_for_a_moment(server: RedisServer) -> None:
    clock = Clock()
    redis = SharedRedis(server.url, DEADLINE_MS, retry_s=1, clock=clock)
    server.kill()
    with pytest.raises(Away, match="redis: ConnectionError"):
        await redis.run([("PING",)])
    server.start()
    clock.now = 0.9
    assert redis.away
    with pytest.raises(Away, match="a moment ago"):
        await redis.run([("PING",)])
    clock.now = 1.1
    assert not redis.away
    assert await redis.run([("PING",)]) == [b"PONG"]
    await redis.close()


async def test_a_restart_between_two_requests_costs_one_moment_at_most(server: RedisServer) -> None:
    clock = Clock()
    redis = SharedRedis(server.url, DEADLINE_MS, retry_s=1, clock=clock)
    await redis.run([("SET", "k", "v")])
    server.kill()
    server.start()
    try:
        assert await redis.run([("GET", "k")]) == [None]
    except Away:
        clock.now = 2
        assert await redis.run([("GET", "k")]) == [None]
    await redis.close()


async def test_a_server_that_does_not_answer_costs_one_deadline_and_then_nothing(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = SharedRedis(server.url, DEADLINE_MS, retry_s=60)
    await redis.run([("PING",)])
    server.hold()
    asked = asyncio.ensure_future(redis.run([("PING",)]))
    took_s = await LoopTime(monkeypatch).let_pass_until(asked)
    with pytest.raises(Away, match="Timeout"):
        await asked
    for _ in range(100):
        with pytest.raises(Away, match="a moment ago"):
            await redis.run([("PING",)])
    server.go_on()
    assert DEADLINE_MS / 1000 * 0.9 <= took_s < 2 * DEADLINE_MS / 1000
    await redis.close()


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    redis = SharedRedis(server.url, DEADLINE_MS, retry_s=1, clock=clock)
    await redis.run([("SET", "k", "mine"), ("SET", "other", "somebody else's")])
    server.hold()
    asked = asyncio.ensure_future(redis.run([("GET", "other")]))
    await LoopTime(monkeypatch).let_pass_until(asked)
    with pytest.raises(Away):
        await asked
    server.go_on()
    clock.now = 2
    assert await redis.run([("GET", "k")]) == [b"mine"]
    await redis.close()


async def test_a_command_that_is_refused_is_away_too(server: RedisServer) -> None:
    redis = SharedRedis(server.url, DEADLINE_MS)
    with pytest.raises(Away, match="ResponseError"):
        await redis.run([("HSET", "k")])
    await redis.close()
