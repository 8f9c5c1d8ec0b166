"""Profiles from the embedded store."""

import json

from tessera.adapters.base import Nothing, Reach
from tessera.renderer.core.ports import Profile


class SqliteProfiles:
    """Implements `Profiles`."""

    Options = Nothing

    def __init__(self, options: Nothing, reach: Reach) -> None:
        self._store = reach.store

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        """Fetch one profile, with the traits asked for."""
        rows = await self._store.read(
            "profile", "SELECT traits, segments FROM profiles WHERE visitor_id = ?", (visitor_id,)
        )
        if not rows:
            return Profile(status="missing")
        stored, segments = rows[0]
        return Profile(
            {name: value for name, value in json.loads(stored).items() if name in traits},
            frozenset(json.loads(segments)),
        )
