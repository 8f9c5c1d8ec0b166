"""Profiles from PostgreSQL, by one query that the settings declare.

It runs as a prepared statement (postgresql.org/docs, "PREPARE"): the visitor's id is a value, never a part of its text.
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from tessera.adapters.base import Reach, secret
from tessera.adapters.platforms import SOURCE, PlatformOptions, consents_of, names_at, only, segments_of
from tessera.renderer.core.errors import SourceGarbled, SourceUnavailable
from tessera.renderer.core.ports import Profile

try:
    import asyncpg
except ImportError as lacking:
    raise ImportError("the `postgres` adapter needs more: `pip install tessera[postgres]`") from lacking

CONNECTING_S = 2.0
CLOSING_S = 1.0
"""How long connections are waited for at the end."""

MISTAKES = (
    asyncpg.SyntaxOrAccessError,
    asyncpg.DataError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What the query, or a value for it, is to be blamed for; all else says that the server cannot serve now."""


class PostgresProfilesOptions(PlatformOptions):
    """Which database, and what is asked of it."""

    url_variable: str = Field(
        description="Environment variable with the address, such as `postgresql://tessera:secret@127.0.0.1/shop`"
    )
    query: str = Field(
        pattern=r"\$1",
        description="Query for one profile, in which `$1` is the visitor's id as text. Its columns are traits by their "
        "names; a column `traits` is an object of more of them, if it is `json` or `jsonb`",
    )
    segments: str = Field(
        "segments", description="Column with the segments: an array of names, or one text with commas"
    )
    max_connections: int = Field(4, ge=1, le=100, description="Connections of each process, at most")


class PostgresProfiles:
    """Implements `Profiles`. No row is a visitor who is not known; of several, the first counts.

    Connections are opened as they are needed, so that a server that is away at the start keeps nothing from starting.
    """

    Options = PostgresProfilesOptions

    def __init__(self, options: PostgresProfilesOptions, reach: Reach) -> None:
        self._options = options
        self._pool: asyncpg.Pool | None = None
        self._closing = reach.closing

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        """Ask for one row."""
        row = await self._row(visitor_id)
        if row is None:
            return Profile(status="missing")
        options = self._options
        more = row.get("traits")
        found = {**(more if isinstance(more, dict) else {}), **row}
        segments = found.get(options.segments)
        if isinstance(segments, str):
            segments = [each.strip() for each in segments.split(",") if each.strip()]
        return Profile(
            {name: _plain(value) for name, value in only(traits, found).items()},
            segments_of(options.audiences, names_at(segments, options.segments)),
            consents=consents_of(found.get(options.consent)) if options.consent is not None else {},
        )

    async def _row(self, visitor_id: str) -> Mapping[str, object] | None:
        try:
            row = await (await self._connections()).fetchrow(self._options.query, visitor_id)
        except MISTAKES as wrong:
            raise SourceGarbled(SOURCE, f"the query failed: {type(wrong).__name__}") from wrong
        except (asyncpg.PostgresError, OSError, TimeoutError) as failure:
            raise SourceUnavailable(SOURCE, f"postgres: {type(failure).__name__}") from failure
        except json.JSONDecodeError as broken:
            raise SourceGarbled(SOURCE, "a column is not JSON") from broken
        return dict(row) if row is not None else None

    async def _connections(self) -> "asyncpg.Pool":
        if self._pool is None:
            self._pool = asyncpg.create_pool(
                secret(self._options.url_variable),
                timeout=CONNECTING_S,
                min_size=0,
                max_size=self._options.max_connections,
                init=_read_json,
                server_settings={"application_name": "tessera", "default_transaction_read_only": "on"},
            )
            self._closing.push_async_callback(self._close, self._pool)
        return await self._pool

    async def _close(self, pool: "asyncpg.Pool") -> None:
        try:
            await asyncio.wait_for(pool.close(), CLOSING_S)
        except TimeoutError:
            pool.terminate()


async def _read_json(connection: "asyncpg.Connection") -> None:
    """Let a connection give JSON as what it says, instead of as text."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


def _plain(value: Any) -> object:
    """Return a column's value in types that facts are made of: a day is its first moment in UTC, an id is text."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return str(value) if isinstance(value, UUID) else value
