"""Lists of items from what the embedded store knows of tastes, popularity and joint purchases."""

import json
from collections.abc import Mapping

from tessera.adapters.base import Nothing, Reach
from tessera.adapters.sqlite import INTEREST
from tessera.renderer.core.ports import ListKind, ListQuery, Recommendations, Recommended

SELLABLE = "COALESCE(fields ->> 'in_stock', 1)"

QUERIES: Mapping[ListKind, str] = {
    "popular": f"SELECT sku, popularity FROM items WHERE {SELLABLE} ORDER BY popularity DESC, sku LIMIT :count",
    "category": """SELECT sku, popularity FROM items WHERE category = :category
        ORDER BY popularity DESC, sku LIMIT :count""",
    "lookup": """SELECT items.sku, NULL FROM json_each(:to) AS wanted JOIN items ON items.sku = wanted.value
        ORDER BY wanted.key LIMIT :count""",
    "related": f"""SELECT other, SUM(score) AS total FROM related JOIN items ON items.sku = other
        WHERE related.sku IN (SELECT value FROM json_each(:to)) AND other NOT IN (SELECT value FROM json_each(:to))
        AND {SELLABLE} GROUP BY other ORDER BY total DESC, other LIMIT :count""",
    "personal": f"""WITH taste AS (
          SELECT category, SUM({INTEREST}) AS weight FROM interactions JOIN items USING (sku)
          WHERE visitor_id = :visitor GROUP BY category)
        SELECT sku, weight * popularity AS score FROM items JOIN taste USING (category)
        WHERE {SELLABLE}
        AND sku NOT IN (SELECT sku FROM interactions WHERE visitor_id = :visitor AND kind = 'purchase')
        ORDER BY score DESC, sku LIMIT :count""",
}


class SqliteRecommender:
    """Implements `Recommender`."""

    Options = Nothing

    def __init__(self, options: Nothing, reach: Reach) -> None:
        self._store = reach.store

    async def items(self, query: ListQuery) -> Recommendations:
        """Return the list, best first."""
        rows = await self._store.read(
            "items",
            QUERIES[query.kind],
            {
                "visitor": query.visitor_id,
                "to": json.dumps(query.to),
                "category": query.category,
                "count": query.at_most,
            },
        )
        items = (Recommended(sku, None if score is None else float(score)) for sku, score in rows)
        return Recommendations(tuple(items))
