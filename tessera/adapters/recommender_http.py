"""Lists of items from a JSON service, by a declared mapping."""

from pydantic import Field

from tessera.adapters.base import Options, Reach, secret
from tessera.adapters.client import at, fill_url, get_json, picked
from tessera.adapters.recommending import PORT, item_id, listed, number, text
from tessera.renderer.core.ports import ListQuery, Recommendations, Recommended


class HttpRecommenderOptions(Options):
    """Where the service is, and where in its JSON things are."""

    url: str = Field(
        pattern="^https?://",
        description="Address, in which `{kind}`, `{count}`, `{visitor_id}`, `{to}` and `{category}` are filled in",
    )
    items: str = Field("items", description="Where the list is in the service's JSON, dotted; empty for the whole")
    item_id: str = Field("id", description="Where an item's id is in each member; empty where members are ids")
    score: str = Field("score", description="Where an item's score is in each member")
    attribution: str | None = Field(
        None, description="Where in the service's JSON the id is under which it takes feedback on the list"
    )
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

    async def items(self, query: ListQuery) -> Recommendations:
        """Fetch a list; 404 is an empty one. Members without an id are left out, as are repetitions."""
        asked = {
            "kind": query.kind,
            "count": query.at_most,
            "visitor_id": query.visitor_id or "",
            "to": ",".join(query.to),
            "category": query.category or "",
        }
        document = await get_json(self._client, PORT, fill_url(self._options.url, asked), self._token)
        if document is None:
            return Recommendations()
        options = self._options
        attribution = text(at(document, options.attribution)) if options.attribution is not None else None

        def item(member: object) -> Recommended | None:
            identity = item_id(at(member, options.item_id))
            if identity is None:
                return None
            score, fields = number(at(member, options.score)), picked(member, options.fields)
            return Recommended(identity, score, fields, attribution=attribution)

        return Recommendations(listed(at(document, options.items), item, query.at_most))
