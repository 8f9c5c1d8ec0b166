"""Events in the embedded store."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from tessera.adapters.sqlite import Store
from tessera.renderer.core.ports import Event


class SqliteEvents:
    """Implements `Events`. A trigger of the store drops what is more than it keeps."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def events(self, visitor_id: str, of: frozenset[str]) -> Mapping[tuple[str, str], Sequence[datetime]]:
        """Look a visitor's events up."""
        rows = await self._store.read(
            "events",
            "SELECT kind, of, at FROM events WHERE visitor_id = ? AND of IN (SELECT value FROM json_each(?))",
            (visitor_id, json.dumps(sorted(of))),
        )
        found: dict[tuple[str, str], list[datetime]] = {}
        for kind, what, at in rows:
            found.setdefault((kind, what), []).append(datetime.fromisoformat(at))
        return found

    async def record(self, event: Event) -> None:
        """Keep an event."""
        await self._store.write(
            "events",
            "INSERT INTO events (visitor_id, of, kind, at) VALUES (?, ?, ?, ?)",
            (event.visitor_id, event.of, event.kind, event.at.isoformat()),
        )
