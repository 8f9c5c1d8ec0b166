"""Catalogue items from the embedded store."""

import json
from collections.abc import Mapping, Sequence

from tessera.adapters.base import Nothing, Reach


class SqliteCatalogue:
    """Implements `Catalogue`."""

    Options = Nothing

    def __init__(self, options: Nothing, reach: Reach) -> None:
        self._store = reach.store

    async def items(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        """Return the fields of those of the ids that exist."""
        rows = await self._store.read(
            "catalogue",
            "SELECT sku, fields FROM items WHERE sku IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {sku: json.loads(fields) for sku, fields in rows}
