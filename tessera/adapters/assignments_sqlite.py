"""Assignments in the embedded store: what the first exposure of a visitor to a version of an experiment says."""

from collections.abc import Mapping

from tessera.adapters.sqlite import Store


class SqliteAssignments:
    """Implements `Assignments`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def assignments(self, visitor_id: str) -> Mapping[tuple[str, str], str]:
        """Look a visitor's exposures up."""
        rows = await self._store.read(
            "assignments", "SELECT experiment, version, arm FROM exposures WHERE visitor_id = ?", (visitor_id,)
        )
        return {(experiment, version): arm for experiment, version, arm in rows}
