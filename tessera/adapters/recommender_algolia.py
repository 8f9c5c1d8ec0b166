"""Lists of items from Algolia Recommend.

Source: algolia/api-clients-automation, `specs/recommend`. What one host does not answer in time is asked of the
next, as Algolia wants of clients. Its models go by items, not by visitors: personal lists are empty unless a model is
named for them.
"""

import asyncio
from collections.abc import Mapping

from pydantic import Field

from tessera.adapters.base import Options, Reach, secret
from tessera.adapters.client import Call, ask_json, at, picked
from tessera.adapters.recommending import PORT, Origin, by_turns, item_id, listed, looked_up, number, text
from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceTimeout, SourceUnavailable
from tessera.renderer.core.ports import ListKind, ListQuery, Recommendations, Recommended

TOO_MANY = 429
MAX_ITEMS = 30
"""What one model answers at most."""


class AlgoliaOptions(Options):
    """Which index is asked, and by which models."""

    application: str = Field(pattern="^[A-Za-z0-9]+$", description="Id of the application")
    index: str = Field(min_length=1, description="Name of the index with the items")
    key_variable: str = Field("ALGOLIA_KEY", description="Environment variable with a key that may search")
    models: dict[ListKind, str] = Field(
        {"related": "related-products", "popular": "trending-items", "category": "trending-items"},
        description="Model by kind; a list of a kind without one is empty",
    )
    category_facet: str = Field("category", description="Facet by which `category` lists are told apart")
    threshold: float = Field(0, ge=0, le=100, description="Score from which an item is taken")
    urls: tuple[Origin, ...] = Field(
        (), description="Schemes and hosts in the order in which they are tried, where they are others than its own"
    )
    fields: dict[str, str] = Field({}, description="Item field to its place in each hit, for items that come whole")
    try_ms: float = Field(60, gt=0, description="Milliseconds after which the next of its hosts is asked instead")
    max_seeds: int = Field(5, ge=1, le=20, description="Items that a `related` list asks about at most, in one call")


class AlgoliaRecommender:
    """Implements `Recommender`."""

    Options = AlgoliaOptions

    def __init__(self, options: AlgoliaOptions, reach: Reach) -> None:
        self._client = reach.client
        self._options = options
        name = options.application.lower()
        own = (f"https://{name}-dsn.algolia.net", *(f"https://{name}-{each}.algolianet.com" for each in (1, 2, 3)))
        self._urls = options.urls or own
        self._headers = {
            "x-algolia-application-id": options.application,
            "x-algolia-api-key": secret(options.key_variable) or "",
        }

    async def items(self, query: ListQuery) -> Recommendations:
        """Fetch a list; for several items that it is about, one for each in one call, taken from by turns."""
        if query.kind == "lookup":
            return looked_up(query)
        model = self._options.models.get(query.kind)
        if model is None:
            return Recommendations()
        asked: dict[str, object] = {
            "indexName": self._options.index,
            "model": model,
            "threshold": self._options.threshold,
            "maxRecommendations": min(query.at_most, MAX_ITEMS),
            "queryParameters": {
                "clickAnalytics": True,
                **({"userToken": query.visitor_id} if query.visitor_id is not None else {}),
            },
        }
        if query.category is not None:
            asked |= {"facetName": self._options.category_facet, "facetValue": query.category}
        seeds = query.to[: self._options.max_seeds]
        requests = [{**asked, "objectID": seed} for seed in seeds] if query.to else [asked]
        results = at(await self._post({"requests": requests}), "results")
        if not isinstance(results, list):
            raise SourceGarbled(PORT, "`results` is not a list")
        return Recommendations(by_turns(query, [self._items(result, query.at_most) for result in results]))

    async def _post(self, body: Mapping[str, object]) -> object | None:
        """Ask one host after another, until one answers or says that it is too much."""
        failure: SourceError = SourceUnavailable(PORT, "no host answers")
        for url in self._urls:
            call = Call("POST", f"{url}/1/indexes/*/recommendations", self._headers, body)
            try:
                async with asyncio.timeout(self._options.try_ms / 1000):
                    reply = await ask_json(self._client, PORT, call, (TOO_MANY,))
            except TimeoutError:
                failure = SourceTimeout(PORT, "no host answers in time")
            except (SourceTimeout, SourceUnavailable) as failed:
                failure = failed
            else:
                if reply.status == TOO_MANY:
                    raise SourceUnavailable(PORT, f"answered with status {TOO_MANY}", reply.retry_after_s)
                return reply.document
        raise failure

    def _items(self, result: object, at_most: int) -> tuple[Recommended, ...]:
        attribution = text(at(result, "queryID"))

        def item(hit: object) -> Recommended | None:
            identity = item_id(at(hit, "objectID"))
            if identity is None:
                return None
            fields = picked(hit, self._options.fields)
            return Recommended(identity, number(at(hit, "_score")), fields, attribution=attribution)

        return listed(at(result, "hits"), item, at_most)
