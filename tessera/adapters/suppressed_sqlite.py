"""Who is suppressed, in the embedded store: the tags that stand for visitors, and no id."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from tessera.renderer.core.tags import Tag


class SqliteSuppressed:
    """A table of the store's file, made if missing, for whoever may wait. Everything raises OSError."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def all(self) -> frozenset[Tag]:
        """Return the tags of all who are suppressed."""
        return frozenset(self._run("SELECT tag FROM suppressed"))

    def put(self, tags: Iterable[Tag]) -> None:
        """Keep tags; those that are kept already stay."""
        self._run("INSERT OR IGNORE INTO suppressed VALUES (?)", tags)

    def drop(self, tags: Iterable[Tag]) -> None:
        """Keep tags no longer."""
        self._run("DELETE FROM suppressed WHERE tag = ?", tags)

    def _run(self, sql: str, tags: Iterable[Tag] | None = None) -> list[Tag]:
        try:
            with closing(sqlite3.connect(self._file, timeout=5.0)) as store, store:
                store.execute("PRAGMA synchronous = FULL")
                store.execute("CREATE TABLE IF NOT EXISTS suppressed (tag TEXT PRIMARY KEY) WITHOUT ROWID")
                if tags is None:
                    return [tag for (tag,) in store.execute(sql)]
                store.executemany(sql, ((tag,) for tag in tags))
                return []
        except sqlite3.Error as failure:
            raise OSError(f"the embedded store failed: {failure}") from failure
