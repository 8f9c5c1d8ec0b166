"""The embedded store: one SQLite file in write-ahead-log mode (sqlite.org/wal.html).

Reads go through a read-only connection on a thread of its own, so that they never block the event loop nor wait
for a write. Writes go through one writer, which commits everything that waits in one transaction.
"""

import asyncio
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Self

import aiosqlite

from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import KEPT_EVENTS

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS items (sku TEXT PRIMARY KEY, category TEXT, popularity REAL, fields TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS items_by_category ON items (category, popularity DESC);
CREATE INDEX IF NOT EXISTS items_by_popularity ON items (popularity DESC);
CREATE TABLE IF NOT EXISTS related (sku TEXT, other TEXT, score REAL, PRIMARY KEY (sku, other)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS profiles (visitor_id TEXT PRIMARY KEY, traits TEXT, segments TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS interactions (visitor_id TEXT, at TEXT, sku TEXT, kind TEXT);
CREATE INDEX IF NOT EXISTS interactions_by_visitor ON interactions (visitor_id, kind, sku);
CREATE TABLE IF NOT EXISTS carts (visitor_id TEXT PRIMARY KEY, lines TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS exposures (
  visitor_id TEXT, experiment TEXT, version TEXT, arm TEXT, at TEXT,
  PRIMARY KEY (visitor_id, experiment, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (visitor_id TEXT, of TEXT, kind TEXT, at TEXT);
CREATE INDEX IF NOT EXISTS events_by_visitor ON events (visitor_id, of, kind);
CREATE TRIGGER IF NOT EXISTS events_kept AFTER INSERT ON events BEGIN
  DELETE FROM events WHERE rowid IN (
    SELECT rowid FROM events WHERE visitor_id = NEW.visitor_id AND of = NEW.of AND kind = NEW.kind
    ORDER BY rowid DESC LIMIT -1 OFFSET {KEPT_EVENTS});
END;
"""

OF_VISITORS = ("profiles", "interactions", "carts", "exposures", "events")
"""The tables with a row for each visitor, or several."""

STORE = "tessera.sqlite"
"""The store's file in `server.state_dir`."""

Write = tuple[str, Sequence[object], "asyncio.Future[int]"]
"""A statement, its values, and what tells of its end."""

INTEREST = "CASE kind WHEN 'purchase' THEN 5 WHEN 'cart' THEN 3 ELSE 1 END"
"""SQL for how much an interaction says about taste; the weights are a convention, not learned."""


class Interaction(NamedTuple):
    """Something that a visitor did with an item: ``kind`` is view, cart or purchase."""

    visitor_id: str
    sku: str
    kind: str
    at: datetime


class Seed(NamedTuple):
    """Rows to fill an empty store with, in JSON's types."""

    items: Sequence[Mapping[str, object]]
    profiles: Iterable[tuple[str, Mapping[str, object], Sequence[str]]]
    interactions: Iterable[Interaction]
    carts: Iterable[tuple[str, Sequence[Mapping[str, object]]]]


def prepare(path: Path) -> bool:
    """Make the store's file and tables where they are missing; tell whether it holds no item yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA)
        empty = connection.execute("SELECT NOT EXISTS (SELECT 1 FROM items)").fetchone()[0]
    connection.close()
    return bool(empty)


def fill(path: Path, seed: Seed) -> None:
    """Fill a prepared store in one transaction, and work out what is popular and what is bought together."""
    with sqlite3.connect(path) as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO items VALUES (?, ?, 0, ?)",
            ((item["sku"], item["category"], json.dumps(item)) for item in seed.items),
        )
        connection.executemany(
            "INSERT OR REPLACE INTO profiles VALUES (?, ?, ?)",
            ((who, json.dumps(traits), json.dumps(segments)) for who, traits, segments in seed.profiles),
        )
        connection.executemany(
            "INSERT INTO interactions (visitor_id, sku, kind, at) VALUES (?, ?, ?, ?)",
            ((who, sku, kind, at.isoformat()) for who, sku, kind, at in seed.interactions),
        )
        connection.executemany(
            "INSERT OR REPLACE INTO carts VALUES (?, ?)", ((who, json.dumps(lines)) for who, lines in seed.carts)
        )
        connection.executescript(
            f"""
            UPDATE items SET popularity = seen.interest FROM
              (SELECT sku, SUM({INTEREST}) AS interest FROM interactions GROUP BY sku) AS seen
              WHERE seen.sku = items.sku;
            INSERT OR REPLACE INTO related
              SELECT mine.sku, theirs.sku, COUNT(*) * 1.0 / MAX(popularity, 1)
              FROM interactions AS mine
              JOIN interactions AS theirs USING (visitor_id)
              JOIN items ON items.sku = theirs.sku
              WHERE mine.kind = 'purchase' AND theirs.kind = 'purchase' AND mine.sku <> theirs.sku
              GROUP BY mine.sku, theirs.sku HAVING COUNT(*) > 1;
            """
        )
    connection.close()


class Store:
    """An open store. Made by `open`; to be closed by whoever opened it."""

    def __init__(self, reader: aiosqlite.Connection, writer: aiosqlite.Connection) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting: asyncio.Queue[Write] = asyncio.Queue()
        self._writing = asyncio.create_task(self._write_all())

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open a prepared store."""
        writer = await aiosqlite.connect(path, isolation_level=None)
        await writer.execute("PRAGMA busy_timeout = 5000")
        await writer.execute("PRAGMA synchronous = FULL")
        await writer.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
        reader = await aiosqlite.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        return cls(reader, writer)

    async def close(self) -> None:
        """Finish what was handed to the writer, then let go of the file."""
        await self._waiting.join()
        self._writing.cancel()
        await asyncio.gather(self._writing, return_exceptions=True)
        await self._reader.close()
        await self._writer.close()

    async def read(
        self, source: str, sql: str, values: Sequence[object] | Mapping[str, object] = ()
    ) -> list[tuple[str, ...]]:
        """Return all rows. Raises `SourceUnavailable` in the name of ``source``."""
        try:
            return [tuple(row) for row in await self._reader.execute_fetchall(sql, values)]
        except sqlite3.Error as failure:
            raise SourceUnavailable(source, f"the embedded store failed: {failure}") from failure

    async def write(self, source: str, sql: str, values: Sequence[object]) -> int:
        """Return the number of rows changed, once they are on disk. Raises `SourceUnavailable`."""
        durable: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((sql, values, durable))
        try:
            return await durable
        except sqlite3.Error as failure:
            raise SourceUnavailable(source, f"the embedded store failed: {failure}") from failure

    async def erase(self, visitor_id: str) -> int:
        """Delete all that is a visitor's own, in one transaction; return how many rows those were.

        Raises `SourceUnavailable`.
        """
        statements = [f"DELETE FROM {table} WHERE visitor_id = ?" for table in OF_VISITORS]
        return sum(await asyncio.gather(*(self.write("erasure", sql, (visitor_id,)) for sql in statements)))

    async def _write_all(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._commit(batch)
            for _ in batch:
                self._waiting.task_done()

    async def _commit(self, batch: Sequence[Write]) -> None:
        """Run the writes in one transaction. One that fails is undone alone (sqlite.org/lang_conflict.html, ABORT)."""
        results: list[int | sqlite3.Error] = []
        try:
            await self._writer.execute("BEGIN IMMEDIATE")
            for sql, values, _ in batch:
                results.append(await self._try(sql, values))
            await self._writer.execute("COMMIT")
        except sqlite3.Error as failure:
            if self._writer.in_transaction:
                await self._writer.execute("ROLLBACK")
            results = [failure] * len(batch)
        for (_, _, durable), result in zip(batch, results, strict=True):
            if durable.done():  # whoever waited is gone
                continue
            if isinstance(result, sqlite3.Error):
                durable.set_exception(result)
            else:
                durable.set_result(result)

    async def _try(self, sql: str, values: Sequence[object]) -> int | sqlite3.Error:
        try:
            return (await self._writer.execute(sql, values)).rowcount
        except sqlite3.Error as failure:
            return failure
