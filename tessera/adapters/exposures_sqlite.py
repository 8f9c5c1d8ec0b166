"""Exposures in the embedded store."""

from tessera.adapters.sqlite import Store
from tessera.renderer.core.ports import Exposure


class SqliteExposures:
    """Implements `Exposures`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def record(self, exposure: Exposure) -> bool:
        """Keep the first exposure of a visitor to a version of an experiment."""
        changed = await self._store.write(
            "exposures",
            "INSERT OR IGNORE INTO exposures (visitor_id, experiment, version, arm, at) VALUES (?, ?, ?, ?, ?)",
            (
                exposure.visitor_id,
                exposure.experiment,
                exposure.version,
                exposure.arm,
                exposure.at.isoformat(),
            ),
        )
        return changed > 0
