"""Lists of items from a JSON service, by a declared mapping."""

from collections.abc import Mapping, Sequence

import httpx

from tessera.adapters.client import at, fill_url, get_json
from tessera.renderer.core.errors import SourceGarbled
from tessera.renderer.core.ports import ListQuery, Recommended


class HttpRecommender:
    """Implements `Recommender`.

    ``url`` may hold ``{kind}``, ``{count}``, ``{visitor_id}``, ``{to}`` (comma-separated item ids) and ``{category}``;
    what a list does not have is empty.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        token: str | None,
        *,
        url: str,
        items: str,
        item_id: str,
        score: str,
        fields: Mapping[str, str],
    ) -> None:
        self._client = client
        self._url = url
        self._token = token
        self._items = items
        self._item_id = item_id
        self._score = score
        self._fields = dict(fields)

    async def items(self, query: ListQuery) -> Sequence[Recommended]:
        """Fetch a list; 404 is an empty one. Members without an id are left out, as are repetitions."""
        asked = {
            "kind": query.kind,
            "count": query.at_most,
            "visitor_id": query.visitor_id or "",
            "to": ",".join(query.to),
            "category": query.category or "",
        }
        document = await get_json(self._client, "items", fill_url(self._url, asked), self._token)
        if document is None:
            return []
        members = at(document, self._items)
        if not isinstance(members, list):
            raise SourceGarbled("items", f"`{self._items}` is not a list")
        found: dict[str, Recommended] = {}
        for item in map(self._item, members):
            if item is not None:
                found.setdefault(item.id, item)
        return list(found.values())[: query.at_most]

    def _item(self, member: object) -> Recommended | None:
        identity, score = at(member, self._item_id), at(member, self._score)
        if isinstance(identity, bool) or not isinstance(identity, str | int) or identity == "":
            return None
        fields = {name: at(member, place) for name, place in self._fields.items()}
        number = float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None
        return Recommended(str(identity), number, fields)
