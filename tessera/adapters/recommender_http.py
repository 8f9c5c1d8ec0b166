"""Lists of items from a JSON service, by a declared mapping."""

from collections.abc import Sequence

from pydantic import Field

from tessera.adapters.base import Options, Reach, secret
from tessera.adapters.client import at, fill_url, get_json
from tessera.renderer.core.errors import SourceGarbled
from tessera.renderer.core.ports import ListQuery, Recommended


class HttpRecommenderOptions(Options):
    """Where the service is, and where in its JSON things are."""

    url: str = Field(
        pattern="^https?://",
        description="Address, in which `{kind}`, `{count}`, `{visitor_id}`, `{to}` and `{category}` are filled in",
    )
    items: str = Field("items", description="Where the list is in the service's JSON, dotted; empty for the whole")
    item_id: str = Field("id", description="Where an item's id is in each member; empty where members are ids")
    score: str = Field("score", description="Where an item's score is in each member")
    fields: dict[str, str] = Field(
        {}, description="Item field to its place in each member, for a service that sends whole items"
    )
    token_variable: str | None = Field(None, description="Environment variable with a bearer token")


class HttpRecommender:
    """Implements `Recommender`.

    ``url`` may hold ``{kind}``, ``{count}``, ``{visitor_id}``, ``{to}`` (comma-separated item ids) and ``{category}``;
    what a list does not have is empty.
    """

    Options = HttpRecommenderOptions
    idempotent = True

    def __init__(self, options: HttpRecommenderOptions, reach: Reach) -> None:
        self._client = reach.client
        self._options = options
        self._token = secret(options.token_variable)

    async def items(self, query: ListQuery) -> Sequence[Recommended]:
        """Fetch a list; 404 is an empty one. Members without an id are left out, as are repetitions."""
        asked = {
            "kind": query.kind,
            "count": query.at_most,
            "visitor_id": query.visitor_id or "",
            "to": ",".join(query.to),
            "category": query.category or "",
        }
        document = await get_json(self._client, "items", fill_url(self._options.url, asked), self._token)
        if document is None:
            return []
        members = at(document, self._options.items)
        if not isinstance(members, list):
            raise SourceGarbled("items", f"`{self._options.items}` is not a list")
        found: dict[str, Recommended] = {}
        for item in map(self._item, members):
            if item is not None:
                found.setdefault(item.id, item)
        return list(found.values())[: query.at_most]

    def _item(self, member: object) -> Recommended | None:
        identity, score = at(member, self._options.item_id), at(member, self._options.score)
        if isinstance(identity, bool) or not isinstance(identity, str | int) or identity == "":
            return None
        fields = {name: at(member, place) for name, place in self._options.fields.items()}
        number = float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None
        return Recommended(str(identity), number, fields)
