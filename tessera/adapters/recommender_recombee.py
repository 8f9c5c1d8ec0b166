"""Lists of items from Recombee.

Source: recombee-api-client 6.3.1 (`api_client.py`, `api_requests/`); docs.recombee.com, "Universal Models". Every
address is signed (HMAC-SHA1 of path and query, a Unix time among that) and good for 30 seconds.
"""

import hmac
import time
from collections.abc import Mapping, Sequence

from pydantic import Field

from tessera.adapters.base import Options, Reach, secret
from tessera.adapters.client import DELETED, Call, ask_json, at
from tessera.adapters.recommending import (
    NOT_FOUND,
    PORT,
    Origin,
    by_turns,
    is_quotable,
    item_id,
    listed,
    looked_up,
    segments,
    text,
)
from tessera.renderer.core.errors import SourceGarbled, SourceUnavailable
from tessera.renderer.core.ports import ListKind, ListQuery, Recommendations, Recommended

GOOD_S = 1800.0
"""For how long a `recommId` is good to ask for the next items: the one end that Recombee tells of it."""


class RecombeeOptions(Options):
    """Which database of Recombee's is asked, and how."""

    database: str = Field(pattern="^[A-Za-z0-9_-]+$", description="Id of the database")
    url: Origin = Field("https://rapi-eu-west.recombee.com", description="Scheme and host of its region")
    token_variable: str = Field("RECOMBEE_TOKEN", description="Environment variable with the database's private token")
    scenarios: dict[str, str] = Field(
        {}, description="Scenario by list or by kind, the list first; without one, the list's own name"
    )
    logics: dict[ListKind, str] = Field(
        {"popular": "recombee:popular", "category": "recombee:popular"},
        description="Logic by kind; where there is none, the scenario's counts",
    )
    category_property: str = Field(
        "category", pattern="^[A-Za-z0-9_-]+$", description="Property of items by which `category` lists are filtered"
    )
    fields: dict[str, str] = Field(
        {}, description="Item field to the property that holds it, for items that it is to send whole"
    )
    everybody: str = Field(
        "everybody", min_length=1, description="User for whom lists are asked that are not any visitor's own"
    )
    create_users: bool = Field(False, description="Let a list that is asked for make known a user who was not")
    max_seeds: int = Field(5, ge=1, le=20, description="Items that a `related` list asks about at most, in one call")


class RecombeeRecommender:
    """Implements `Recommender`."""

    Options = RecombeeOptions

    def __init__(self, options: RecombeeOptions, reach: Reach) -> None:
        self._client = reach.client
        self._options = options
        self._token = (secret(options.token_variable) or "").encode()

    async def items(self, query: ListQuery) -> Recommendations:
        """Fetch a list; for several items that it is about, one for each in one call, none of which repeats another.

        A user whom Recombee does not know (404) has an empty list.
        """
        if query.kind == "lookup":
            return looked_up(query)
        if query.category is not None and not is_quotable(query.category):
            return Recommendations()
        if query.kind == "related":
            paths = [f"/recomms/items/{seed}/items/" for seed in segments(query.to[: self._options.max_seeds])]
        else:
            user = query.visitor_id if query.visitor_id is not None else self._options.everybody
            paths = [f"/recomms/users/{each}/items/" for each in segments([user])]
        if not paths:
            return Recommendations()
        params = self._params(query)
        replies = [await self._post(paths[0], params)] if len(paths) == 1 else await self._batch(paths, params)
        lists = [self._items(reply, query.at_most) for reply in replies if reply is not None]
        return Recommendations(by_turns(query, lists), GOOD_S)

    async def erase(self, visitor_id: str) -> None:
        """Delete a user and their interactions (docs.recombee.com, "Delete User")."""
        for each in segments([visitor_id]):
            target = signed(f"/{self._options.database}/users/{each}", self._token, int(time.time()))
            await ask_json(self._client, PORT, Call("DELETE", self._options.url + target), DELETED)

    def _params(self, query: ListQuery) -> dict[str, object]:
        options = self._options
        params: dict[str, object] = {"count": query.at_most, "cascadeCreate": options.create_users}
        scenario = options.scenarios.get(query.name) or options.scenarios.get(query.kind) or query.name
        params |= {"scenario": scenario} if scenario else {}
        params |= {"logic": options.logics[query.kind]} if query.kind in options.logics else {}
        if query.kind == "related":
            params["targetUserId"] = options.everybody
        if query.category is not None:
            params["filter"] = f"'{options.category_property}' == \"{query.category}\""
        if options.fields:
            params |= {"returnProperties": True, "includedProperties": sorted(set(options.fields.values()))}
        return params

    async def _batch(self, paths: Sequence[str], params: Mapping[str, object]) -> list[object | None]:
        """Ask for several lists of distinct items at once."""
        requests = [{"method": "POST", "path": path, "params": params} for path in paths]
        replies = await self._post("/batch/", {"requests": requests, "distinctRecomms": True})
        if not isinstance(replies, list):
            raise SourceGarbled(PORT, "the batch's reply is not a list")
        found = []
        for reply in replies:
            code = at(reply, "code")
            if not isinstance(code, int) or code >= 500:
                raise SourceUnavailable(PORT, "a part of the batch failed")
            found.append(at(reply, "json") if code in (200, 201) else None)
        return found

    async def _post(self, path: str, body: Mapping[str, object]) -> object | None:
        """Make a signed call, and return its JSON; None where there is no such user or item."""
        target = signed(f"/{self._options.database}{path}", self._token, int(time.time()))
        call = Call("POST", self._options.url + target, body=body)
        reply = await ask_json(self._client, PORT, call, (NOT_FOUND,))
        return None if reply.status == NOT_FOUND else reply.document

    def _items(self, document: object, at_most: int) -> tuple[Recommended, ...]:
        attribution = text(at(document, "recommId"))

        def item(member: object) -> Recommended | None:
            identity, values = item_id(at(member, "id")), at(member, "values")
            if identity is None:
                return None
            found = values if isinstance(values, dict) else {}
            fields = {name: found.get(place) for name, place in self._options.fields.items()}
            return Recommended(identity, None, fields, attribution=attribution)

        return listed(at(document, "recomms"), item, at_most)


def signed(path: str, token: bytes, now_s: int) -> str:
    """Return a path (without query) with the time and the signature that Recombee wants of it."""
    target = f"{path}?hmac_timestamp={now_s}"
    return f"{target}&hmac_sign={hmac.new(token, target.encode(), 'sha1').hexdigest()}"
