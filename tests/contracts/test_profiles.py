"""The adapters of customer data platforms, and of stores that profiles are kept in, keep their port's contract."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import asyncpg
import pytest
from redis import Redis

from tessera.adapters.profiles_mparticle import LOGIN, MparticleProfiles
from tessera.adapters.profiles_odp import OdpProfiles
from tessera.adapters.profiles_postgres import PostgresProfiles
from tessera.adapters.profiles_redis import RedisProfiles
from tessera.adapters.profiles_rudderstack import RudderstackProfiles
from tessera.adapters.profiles_segment import SegmentProfiles
from tessera.adapters.profiles_unomi import UnomiProfiles
from tessera.contracts.contract import STRANGER, VISITOR, Staged, closing, made
from tessera.contracts.over_http import OverHttp
from tessera.contracts.profiles import ProfilesContract
from tessera.contracts.stand_in import Asked, Reply
from tessera.renderer.core.ports import PERSONALIZATION, Profile
from tests.adapters.vendors import MPARTICLE, NO_CUSTOMER, ODP, SETTINGS, TOKEN, UNOMI
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.reach import reach_of
from tests.support.redis import RedisServer, redis_server

TRAITS = {"tier": "gold"}
VIP = frozenset({"vip"})


class TestSegment(OverHttp, ProfilesContract):
    adapter = SegmentProfiles
    settings = SETTINGS["segment"]
    known = Reply({"traits": {"tier": "gold", "email": "ann@example.com"}, "cursor": {"has_more": False, "next": ""}})
    unknown = Reply({"error": {"code": "not_found", "message": "Profile was not found."}}, 404)
    wrong: ClassVar[Sequence[object]] = ([], {"traits": []}, {"traits": "gold"})
    traits = TRAITS
    segments = VIP
    ids: ClassVar = {"user_id": VISITOR}

    def answer(self, asked: Asked) -> Reply:
        """Audiences are asked for on their own."""
        if "class" in asked.url.query and not asked.mentions(STRANGER):
            return Reply({"traits": {"vip": True, "lapsed": False}})
        return super().answer(asked)


class TestMparticle(OverHttp, ProfilesContract):
    adapter = MparticleProfiles
    settings = SETTINGS["mparticle"]
    known = Reply(MPARTICLE)
    unknown = Reply({"errors": [{"message": "The profile is invalid."}]}, 400)
    wrong: ClassVar[Sequence[object]] = (
        [],
        {"user_attributes": []},
        {"audience_memberships": {}},
        {"audience_memberships": ["x"]},
    )
    traits: ClassVar = {"tier": "gold", "ltv": "342.1"}
    segments = frozenset({"decor", "long"})
    ids: ClassVar = {"mpid": "9080350317581165000"}

    def answer(self, asked: Asked) -> Reply:
        """Whoever asks has logged in."""
        return Reply(TOKEN) if str(asked.url) == LOGIN else super().answer(asked)


class TestRudderstack(OverHttp, ProfilesContract):
    adapter = RudderstackProfiles
    settings = SETTINGS["rudderstack"]
    known = Reply({"data": {"all": {"tier": "gold", "vip": True}, "more": {"tier": "no", "ltv": 9}}})
    unknown = Reply({"entity": "user", "id": {"type": "user_id"}, "data": {}})
    wrong: ClassVar[Sequence[object]] = ([], {"data": []}, {"data": {"all": 7}})
    traits: ClassVar = {"tier": "gold", "ltv": 9}
    segments = VIP
    ids: ClassVar = {"user_id": VISITOR}


class TestUnomi(OverHttp, ProfilesContract):
    adapter = UnomiProfiles
    settings = SETTINGS["unomi"]
    known = Reply(UNOMI)
    unknown = Reply({"profileId": STRANGER, "profileProperties": {}, "profileSegments": []})
    wrong: ClassVar[Sequence[object]] = ([], {"profileProperties": []}, {"profileSegments": 7}, {"consents": []})
    traits = TRAITS
    segments = VIP
    ids: ClassVar = {"profile_id": "18afb5e3"}
    consents: ClassVar = {PERSONALIZATION: "granted"}

    def check(self, answer: Profile, visitor_id: str) -> None:
        """It makes a profile of whoever is asked about."""
        if visitor_id == STRANGER:
            assert answer == Profile(ids={"profile_id": STRANGER})
        else:
            super().check(answer, visitor_id)


class TestOdp(OverHttp, ProfilesContract):
    adapter = OdpProfiles
    settings = SETTINGS["odp"]
    known = Reply(ODP)
    unknown = Reply(NO_CUSTOMER)
    wrong: ClassVar[Sequence[object]] = (
        [],
        {"data": {}},
        {"errors": [{"message": "no"}]},
        {"errors": "no"},
        {"data": {"customer": {}}},
    )
    traits: ClassVar = {"tier": "Ann"}
    segments = frozenset({"bought"})
    ids: ClassVar = {"fs_user_id": VISITOR}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


class TestRedis(ProfilesContract):
    adapter = RedisProfiles
    faults: ClassVar[Collection[str]] = ("away", "garbled")
    traits = TRAITS
    segments = VIP
    server: RedisServer

    @pytest.fixture(autouse=True)
    def _at(self, redis: RedisServer) -> None:
        self.server = redis

    @asynccontextmanager
    async def staged(self, folder: Path) -> AsyncIterator[Staged[Any]]:
        key, away = f"profile:{VISITOR}", False

        def fail(fault: Any) -> None:
            nonlocal away
            if fault == "away":
                self.server.kill()
                away = True
            elif fault == "garbled":
                with Redis.from_url(self.server.url) as client:
                    client.set(key, "a text")
            elif away:
                self.server.start()

        with Redis.from_url(self.server.url) as client:
            client.flushall()
            client.hset(key, mapping={"tier": "gold", "segments": "vip", "email": "ann@example.com"})
        reach = reach_of()
        adapter = made(self.adapter, {"url": self.server.url}, reach)
        async with closing(Staged(adapter, fail), reach.closing.aclose) as stage:
            yield stage

    def test_what_was_given_up_is_not_taken_for_the_next_answer(self, tmp_path: Path) -> None:
        async def scene(stage: Staged[Any]) -> None:
            self.check(await self.ask(stage.adapter, VISITOR), VISITOR)
            self.server.hold()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await self.ask(stage.adapter, VISITOR)
            self.server.go_on()
            for _ in range(5):
                self.check(await self.ask(stage.adapter, STRANGER), STRANGER)

        self.play(tmp_path, scene)


TABLE = """
DROP TABLE IF EXISTS customers;
CREATE TABLE customers (id text PRIMARY KEY, tier text, segments text[], email text);
"""


class TestPostgres(ProfilesContract):
    adapter = PostgresProfiles
    faults: ClassVar[Collection[str]] = ("away",)
    traits = TRAITS
    segments = VIP
    server: PostgresServer
    settings: ClassVar[Mapping[str, object]] = {
        "url_variable": "PG_URL",
        "query": "SELECT tier, segments, email FROM customers WHERE id = $1",
    }

    @pytest.fixture(autouse=True)
    def _at(self, postgres: PostgresServer) -> None:
        self.server = postgres

    @asynccontextmanager
    async def staged(self, folder: Path) -> AsyncIterator[Staged[Any]]:
        connection = await asyncpg.connect(self.server.url)
        await connection.execute(TABLE)
        await connection.execute("INSERT INTO customers VALUES ($1, 'gold', '{vip}', 'ann@example.com')", VISITOR)
        await connection.close()
        away = False

        def fail(fault: Any) -> None:
            nonlocal away
            if fault == "away":
                self.server.stop()
                away = True
            elif away:
                self.server.start()

        reach = reach_of()
        with patch.dict("os.environ", PG_URL=self.server.url):
            adapter = made(self.adapter, self.settings, reach)
            async with closing(Staged(adapter, fail), reach.closing.aclose) as stage:
                yield stage
