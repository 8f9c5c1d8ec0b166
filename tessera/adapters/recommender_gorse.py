"""Lists of items from Gorse.

Source: gorse-io/gorse, `server/rest.go`. Its option to write feedback back when a list is asked for is never used: a
page that is cached or prefetched would count as seen. Gorse answers a visitor whom it does not know with what is not
personal, and tells of no attribution.
"""

import asyncio
from urllib.parse import quote, urlencode

from pydantic import Field

from tessera.adapters.base import Options, Reach, secret
from tessera.adapters.client import DELETED, Call, ask_json, at
from tessera.adapters.recommending import NOT_FOUND, PORT, by_turns, item_id, listed, looked_up, number, segments
from tessera.renderer.core.ports import ListQuery, Recommendations, Recommended


class GorseOptions(Options):
    """Where Gorse is, and what its recommenders are called in its own configuration."""

    url: str = Field(pattern="^https?://", description="Address of its server, such as `http://gorse:8088`")
    popular: str = Field(
        "popular", description="Its recommender (`[[recommend.non-personalized]]`) for `popular` and `category` lists"
    )
    related: str = Field("neighbors", description="Its recommender (`[[recommend.item-to-item]]`) for `related` lists")
    max_seeds: int = Field(3, ge=1, le=10, description="Items that a `related` list asks about at most, a call each")
    key_variable: str | None = Field(None, description="Environment variable with the API key, where it wants one")


class GorseRecommender:
    """Implements `Recommender`."""

    Options = GorseOptions

    def __init__(self, options: GorseOptions, reach: Reach) -> None:
        self._client = reach.client
        self._options = options
        self._base = options.url.rstrip("/") + "/api"
        key = secret(options.key_variable)
        self._headers = {"x-api-version": "2", **({"x-api-key": key} if key else {})}

    async def items(self, query: ListQuery) -> Recommendations:
        """Fetch a list; for several items that it is about, one for each, taken from by turns."""
        if query.kind == "lookup":
            return looked_up(query)
        if query.kind == "related":
            named = quote(self._options.related, safe="")
            paths = [f"item-to-item/{named}/{seed}" for seed in segments(query.to[: self._options.max_seeds])]
        elif query.kind == "personal":
            paths = [f"recommend/{each}" for each in segments([query.visitor_id or ""])]
        else:
            paths = [f"non-personalized/{quote(self._options.popular, safe='')}"]
        return Recommendations(by_turns(query, await asyncio.gather(*(self._fetch(query, path) for path in paths))))

    async def erase(self, visitor_id: str) -> None:
        """Delete a user and their feedback (`DELETE /api/user/{id}`)."""
        for each in segments([visitor_id]):
            call = Call("DELETE", f"{self._base}/user/{each}", self._headers)
            await ask_json(self._client, PORT, call, DELETED)

    async def _fetch(self, query: ListQuery, path: str) -> tuple[Recommended, ...]:
        asked = {"n": query.at_most, **({"category": query.category} if query.category else {})}
        call = Call("GET", f"{self._base}/{path}?{urlencode(asked)}", self._headers)
        reply = await ask_json(self._client, PORT, call, (NOT_FOUND,))
        return () if reply.status == NOT_FOUND else listed(reply.document, _item, query.at_most)


def _item(member: object) -> Recommended | None:
    """Read a member: an object since version 2 of the API, a bare id before."""
    identity = item_id(at(member, "Id") if isinstance(member, dict) else member)
    return None if identity is None else Recommended(identity, number(at(member, "Score")))
