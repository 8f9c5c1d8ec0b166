"""Profiles from PostgreSQL, by a real server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import pytest

from tessera.adapters.profiles_postgres import PostgresProfiles, PostgresProfilesOptions
from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceUnavailable
from tessera.renderer.core.ports import Profile
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.reach import reach_of

TABLE = """
CREATE TABLE customers (id text PRIMARY KEY, tier text, spent numeric, born date, key uuid, more jsonb, groups text[],
  consent boolean);
INSERT INTO customers VALUES
  ('ann', 'gold', 342.1, '1990-02-03', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"city": "Bonn", "tier": "x"}',
   '{vip,lapsed}', true),
  ('bob', NULL, NULL, NULL, NULL, NULL, NULL, false);
"""
QUERY = """
  SELECT tier, spent, born, key, more AS traits, groups AS segments, consent FROM customers WHERE id = $1
"""
TRAITS = frozenset({"tier", "spent", "born", "key", "city"})


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        asyncio.run(filled(server))
        yield server


async def filled(server: PostgresServer) -> None:
    connection = await asyncpg.connect(server.url)
    await connection.execute(TABLE)
    await connection.close()


@pytest.fixture
async def reading(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PostgresProfiles]:
    monkeypatch.setenv("PG_URL", server.url)
    reach = reach_of()
    async with reach.closing:
        yield PostgresProfiles(PostgresProfilesOptions(url_variable="PG_URL", query=QUERY, consent="consent"), reach)


async def test_columns_and_members_of_an_object_are_traits(reading: PostgresProfiles) -> None:
    born = datetime(1990, 2, 3, tzinfo=UTC)
    key = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    assert await reading.profile("ann", TRAITS) == Profile(
        {"tier": "gold", "spent": Decimal("342.1"), "born": born, "key": key, "city": "Bonn"},
        frozenset({"vip", "lapsed"}),
        consents={"personalization": "granted"},
    )


async def test_what_is_null_is_not_known(reading: PostgresProfiles) -> None:
    known = await reading.profile("bob", TRAITS)
    assert set(known.traits.values()) == {None}
    assert (known.segments, known.consents) == (frozenset(), {"personalization": "denied"})


@pytest.mark.parametrize("visitor_id", ["nobody", "ann'; DROP TABLE customers; --", "$1", "ü"])
async def test_no_row_is_a_missing_profile(reading: PostgresProfiles, visitor_id: str) -> None:
    assert await reading.profile(visitor_id, TRAITS) == Profile(status="missing")
    assert (await reading.profile("ann", TRAITS)).status == "fresh"


@pytest.mark.parametrize("visitor_id", ["a\0b", "\ud800"])
async def test_an_id_that_is_no_text_to_it_is_a_typed_error(reading: PostgresProfiles, visitor_id: str) -> None:
    with pytest.raises(SourceGarbled):
        await reading.profile(visitor_id, TRAITS)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT nothing FROM customers WHERE id = $1",
        "SELECT 1 / 0 AS tier WHERE $1 = 'ann'",
        "INSERT INTO customers (id) VALUES ($1) RETURNING id",
        "SELECT 7 AS segments WHERE $1 = 'ann'",
        "SELECT 1 WHERE 1 = $1",
    ],
)
async def test_a_wrong_query_is_a_typed_error(reading: PostgresProfiles, query: str) -> None:
    options = PostgresProfilesOptions(url_variable="PG_URL", query=query)
    reach = reach_of()
    async with reach.closing:
        with pytest.raises(SourceError):
            await PostgresProfiles(options, reach).profile("ann", TRAITS)


async def test_many_share_few_connections(reading: PostgresProfiles) -> None:
    known = await asyncio.gather(*(reading.profile("ann", TRAITS) for _ in range(40)))
    assert {each.traits["city"] for each in known} == {"Bonn"}


async def test_a_server_that_is_away_is_unavailable_and_asked_again_when_it_is_back(
    server: PostgresServer, reading: PostgresProfiles
) -> None:
    await reading.profile("ann", TRAITS)
    server.stop()
    try:
        for _ in range(2):
            with pytest.raises(SourceUnavailable):
                await reading.profile("ann", TRAITS)
    finally:
        server.start()
    assert (await reading.profile("ann", TRAITS)).status == "fresh"


def test_a_query_without_the_visitor_is_refused() -> None:
    with pytest.raises(ValueError, match="pattern"):
        PostgresProfilesOptions(url_variable="PG_URL", query="SELECT 1")
