"""Profiles from Redis, by a real server: hashes and JSON."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tessera.adapters.base import Reach
from tessera.adapters.profiles_redis import RedisProfiles, RedisProfilesOptions
from tessera.renderer.core.errors import SourceGarbled, SourceUnavailable
from tessera.renderer.core.ports import Profile
from tests.support.reach import reach_of
from tests.support.redis import RedisServer, redis_server

TRAITS = frozenset({"tier", "spent"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(Path(tmp_path_factory.mktemp("redis"))) as server:
        yield server


@pytest.fixture
def stored(server: RedisServer) -> Iterator[Redis]:
    with Redis.from_url(server.url) as client:
        client.flushall()
        yield client


@pytest.fixture
async def reach() -> AsyncIterator[Reach]:
    reach = reach_of()
    async with reach.closing:
        yield reach


def reading(server: RedisServer, reach: Reach, **more: Any) -> RedisProfiles:
    return RedisProfiles(RedisProfilesOptions(url=server.url, **more), reach)


async def test_a_hash_has_a_field_for_each_trait(server: RedisServer, stored: Redis, reach: Reach) -> None:
    stored.hset("profile:u1", mapping={"tier": "gold", "spent": "342.1", "segments": "vip, lapsed,", "x": "y"})
    known = await reading(server, reach).profile("u1", TRAITS)
    assert known == Profile({"tier": "gold", "spent": "342.1"}, frozenset({"vip", "lapsed"}))


async def test_a_json_has_them_where_the_settings_say(server: RedisServer, stored: Redis, reach: Reach) -> None:
    profile = {"data": {"tier": "gold", "spent": 342.1}, "audiences": {"Very Important": True}, "ok": False}
    stored.set("cdp/u1/v1", json.dumps(profile))
    places = {"traits": "data", "segments": "audiences", "consent": "ok", "audiences": {"vip": "Very Important"}}
    known = await reading(server, reach, key="cdp/{visitor_id}/v1", form="json", **places).profile("u1", TRAITS)
    assert known == Profile(
        {"tier": "gold", "spent": 342.1}, frozenset({"vip"}), consents={"personalization": "denied"}
    )


@pytest.mark.parametrize("form", ["hash", "json"])
async def test_no_key_is_a_missing_profile(server: RedisServer, stored: Redis, reach: Reach, form: str) -> None:
    assert await reading(server, reach, form=form).profile("u1", TRAITS) == Profile(status="missing")


async def test_a_hash_without_what_is_wanted_is_no_missing_profile(
    server: RedisServer, stored: Redis, reach: Reach
) -> None:
    stored.hset("profile:u1", "x", "y")
    assert await reading(server, reach).profile("u1", TRAITS) == Profile()


async def test_an_id_cannot_name_another_key(server: RedisServer, stored: Redis, reach: Reach) -> None:
    stored.hset("profile:u1:secret", "tier", "gold")
    stored.hset("profile:u1%3Asecret", "tier", "own")
    known = await reading(server, reach).profile("u1:secret", TRAITS)
    assert known.traits == {"tier": "own"}


@pytest.mark.parametrize(
    ("form", "value"), [("hash", b"text"), ("json", b"no json"), ("json", b"[]"), ("json", b'{"segments": 7}')]
)
async def test_another_shape_is_garbled_and_hurts_nobody_else(
    server: RedisServer, stored: Redis, reach: Reach, form: str, value: bytes
) -> None:
    stored.set("profile:u1", value)
    profiles = reading(server, reach, form=form)
    with pytest.raises(SourceGarbled):
        await profiles.profile("u1", TRAITS)
    assert (await profiles.profile("u2", TRAITS)).status == "missing"


async def test_bytes_that_are_no_text_are_garbled(server: RedisServer, stored: Redis, reach: Reach) -> None:
    stored.hset("profile:u1", "tier", b"\xff")
    with pytest.raises(SourceGarbled):
        await reading(server, reach).profile("u1", TRAITS)


async def test_a_server_that_is_away_is_unavailable_and_asked_again_when_it_is_back(
    server: RedisServer, stored: Redis, reach: Reach
) -> None:
    profiles = reading(server, reach)
    await profiles.profile("u1", TRAITS)
    server.kill()
    try:
        with pytest.raises(SourceUnavailable):
            await profiles.profile("u1", TRAITS)
    finally:
        server.start()
    assert (await profiles.profile("u1", TRAITS)).status == "missing"


def test_a_key_without_the_visitor_is_refused() -> None:
    with pytest.raises(ValueError, match="must hold"):
        RedisProfilesOptions(key="profile")
