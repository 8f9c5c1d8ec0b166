"""Lists of items from Recombee.

Source: recombee-api-client 6.3.1 (`api_client.py`, `api_requests/`); docs.recombee.com, "Universal Models", "Batch".
Every address is signed (HMAC-SHA1 of path and query, a Unix time among that) and good for 30 seconds. A batch holds up
to 10,000 requests, answers 200 whatever became of them, and may take as long as all of them one after the other.
"""

import hmac
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

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
from tessera.adapters.together import Together
from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceUnavailable
from tessera.renderer.core.ports import ListKind, ListQuery, Recommendations, Recommended

GOOD_S = 1800.0
"""For how long a `recommId` is good to ask for the next items: the one end that Recombee tells of it."""

NOBODY: Mapping[str, object] = {"recomms": []}
"""The reply about a user or an item that Recombee does not know (404), as it would say that there is nothing."""


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


class Asked(NamedTuple):
    """One request for a list, with its path within the database."""

    path: str
    params: Mapping[str, object]


class RecombeeRecommender:
    """Implements `Recommender`."""

    Options = RecombeeOptions

    def __init__(self, options: RecombeeOptions, reach: Reach) -> None:
        self._client = reach.client
        self._options = options
        self._token = (secret(options.token_variable) or "").encode()
        self._together: Together[tuple[str, bool], ListQuery, object] = Together(self._of_visitor)

    async def items(self, query: ListQuery) -> Recommendations:
        """Fetch a list; for several items that it is about, one for each in one call, none of which repeats another.

        Lists of one visitor that are wanted at the same time are fetched in one call. A user whom Recombee does not
        know (404) has an empty list.
        """
        if query.kind == "lookup":
            return looked_up(query)
        if query.category is not None and not is_quotable(query.category):
            return Recommendations()
        asked = self._asked(query)
        if not asked:
            return Recommendations()
        if query.kind == "personal" and query.visitor_id is not None:
            replies = [await self._together.ask((query.visitor_id, query.apart), query)]
        else:
            replies = _usable(await self._fetch(asked, distinct=True))
        lists = [self._items(reply, query.at_most) for reply in replies]
        return Recommendations(by_turns(query, lists), GOOD_S)

    async def erase(self, visitor_id: str) -> None:
        """Delete a user and their interactions (docs.recombee.com, "Delete User")."""
        for each in segments([visitor_id]):
            target = signed(f"/{self._options.database}/users/{each}", self._token, int(time.time()))
            await ask_json(self._client, PORT, Call("DELETE", self._options.url + target), DELETED)

    def _asked(self, query: ListQuery) -> list[Asked]:
        """Return the requests for a list: several where it is about several items, none where Recombee has no such."""
        if query.kind == "related":
            paths = [f"/recomms/items/{seed}/items/" for seed in segments(query.to[: self._options.max_seeds])]
        else:
            user = query.visitor_id if query.visitor_id is not None else self._options.everybody
            paths = [f"/recomms/users/{each}/items/" for each in segments([user])]
        return [Asked(path, self._params(query)) for path in paths]

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

    async def _of_visitor(self, key: tuple[str, bool], queries: Sequence[ListQuery]) -> Sequence[object | SourceError]:
        """Fetch lists of one visitor, each by one request; the key says whether they are to be kept apart."""
        _, apart = key
        return await self._fetch([asked for query in queries for asked in self._asked(query)], distinct=apart)

    async def _fetch(self, asked: Sequence[Asked], *, distinct: bool) -> Sequence[object | SourceError]:
        """Return the reply to each request, or how it failed.

        Several go out in one batch, by which a user gets ``distinct`` items. Raises the failure of the whole.
        """
        if len(asked) == 1:
            return [await self._post(asked[0].path, asked[0].params)]
        requests = [{"method": "POST", **each._asdict()} for each in asked]
        replies = await self._post("/batch/", {"requests": requests, "distinctRecomms": distinct})
        if not isinstance(replies, list) or len(replies) != len(asked):
            raise SourceGarbled(PORT, "the batch's reply is not a list of as many replies")
        return [_part(reply) for reply in replies]

    async def _post(self, path: str, body: Mapping[str, object]) -> object:
        """Make a signed call, and return its JSON."""
        target = signed(f"/{self._options.database}{path}", self._token, int(time.time()))
        call = Call("POST", self._options.url + target, body=body)
        reply = await ask_json(self._client, PORT, call, (NOT_FOUND,))
        return NOBODY if reply.status == NOT_FOUND else reply.document

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


def _part(reply: object) -> object | SourceError:
    """Return the JSON of one reply of a batch, or how it failed."""
    code = at(reply, "code")
    if code in (HTTPStatus.OK, HTTPStatus.CREATED):
        return at(reply, "json")
    if code == NOT_FOUND:
        return NOBODY
    said = f"a part of the batch was answered with status {code}" if isinstance(code, int) else "a part has no status"
    failed_there = isinstance(code, int) and (code >= 500 or code == HTTPStatus.TOO_MANY_REQUESTS)
    return SourceUnavailable(PORT, said) if failed_there else SourceGarbled(PORT, said)


def _usable(replies: Sequence[object | SourceError]) -> list[object]:
    """Return what came for the items of one list: of one that Recombee refuses to recommend by, nothing does.

    Raises the first failure that is not such a refusal, or where all were refused.
    """
    came = [reply for reply in replies if not isinstance(reply, SourceError)]
    for reply in replies:
        if isinstance(reply, SourceError) and (reply.costly or not came):
            raise reply
    return came


def signed(path: str, token: bytes, now_s: int) -> str:
    """Return a path (without query) with the time and the signature that Recombee wants of it."""
    target = f"{path}?hmac_timestamp={now_s}"
    return f"{target}&hmac_sign={hmac.new(token, target.encode(), 'sha1').hexdigest()}"
