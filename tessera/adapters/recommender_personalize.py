"""Lists of items from Amazon Personalize.

Source: boto/botocore, `personalize-runtime/2018-05-22/service-2.json`. Requests are signed (Signature Version 4) by
botocore's own signer, with credentials from wherever AWS's tools find them; both in a thread, as it may have to fetch
new ones.
"""

import asyncio
from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from typing import Any, Self

from pydantic import Field, model_validator

from tessera.adapters.base import Options, Reach
from tessera.adapters.client import Call, ask_json, at, encoded, picked
from tessera.adapters.recommending import PORT, Origin, by_turns, is_quotable, item_id, listed, looked_up, number, text
from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import ListKind, ListQuery, Recommendations, Recommended

MAX_ITEMS = 500
MAX_ID = 256
"""The most items of one call, and characters of an id, that the service's model allows."""


class PersonalizeOptions(Options):
    """Which campaigns and recommenders are asked, by kind of list."""

    region: str = Field(pattern="^[a-z0-9-]+$", description="AWS region, such as `eu-central-1`")
    arns: dict[ListKind, str] = Field(
        min_length=1, description="ARN of a campaign or a recommender by kind; a list of a kind without one is empty"
    )
    filter_arn: str | None = Field(None, description="ARN of the filter of `category` lists")
    filter_parameter: str = Field("CATEGORY", description="Parameter of that filter which takes the category")
    fields: dict[str, str] = Field(
        {}, description="Item field to the column that holds it, for items that it is to send whole"
    )
    everybody: str = Field(
        "everybody", min_length=1, description="User for whom lists are asked that are not any visitor's own"
    )
    max_seeds: int = Field(3, ge=1, le=10, description="Items that a `related` list asks about at most, a call each")
    url: Origin | None = Field(
        None, description="Scheme and host of the runtime, where it is another than the region's own"
    )

    @model_validator(mode="after")
    def _signer_is_installed(self) -> Self:
        if find_spec("botocore") is None:
            raise ValueError("is not installed whole: install `tessera[personalize]`")
        return self


class PersonalizeRecommender:
    """Implements `Recommender`."""

    Options = PersonalizeOptions

    def __init__(self, options: PersonalizeOptions, reach: Reach) -> None:
        self._client = reach.client
        self._options = options
        origin = options.url or f"https://personalize-runtime.{options.region}.amazonaws.com"
        self._url = f"{origin}/recommendations"

    async def items(self, query: ListQuery) -> Recommendations:
        """Fetch a list; for several items that it is about, one for each, taken from by turns.

        Personalize answers a user whom it does not know with what is popular.
        """
        if query.kind == "lookup":
            return looked_up(query)
        arn, ids = self._options.arns.get(query.kind), (query.visitor_id or "", *query.to)
        if arn is None or any(len(each) > MAX_ID for each in ids) or not is_quotable(query.category or ""):
            return Recommendations()
        if query.category is not None and self._options.filter_arn is None:
            return Recommendations()
        bodies = [self._body(query, arn, seed) for seed in query.to[: self._options.max_seeds] or [None]]
        lists = await asyncio.gather(*(self._fetch(body, query.at_most) for body in bodies))
        return Recommendations(by_turns(query, lists))

    def _body(self, query: ListQuery, arn: str, seed: str | None) -> dict[str, object]:
        options = self._options
        body: dict[str, object] = {
            "recommenderArn" if ":recommender/" in arn else "campaignArn": arn,
            "userId": query.visitor_id if query.visitor_id is not None else options.everybody,
            "numResults": min(query.at_most, MAX_ITEMS),
        }
        if seed is not None:
            body["itemId"] = seed
        if query.category is not None:
            body |= {"filterArn": options.filter_arn, "filterValues": {options.filter_parameter: f'"{query.category}"'}}
        if options.fields:
            body["metadataColumns"] = {"ITEMS": sorted(set(options.fields.values()))}
        return body

    async def _fetch(self, body: Mapping[str, object], at_most: int) -> tuple[Recommended, ...]:
        headers = await asyncio.to_thread(self._signed, encoded(body))
        document = (await ask_json(self._client, PORT, Call("POST", self._url, headers, body))).document
        attribution = text(at(document, "recommendationId"))

        def item(member: object) -> Recommended | None:
            identity, reasons = item_id(at(member, "itemId")), at(member, "reason")
            if identity is None:
                return None
            fields = picked(at(member, "metadata"), self._options.fields)
            reason = text(reasons[0]) if isinstance(reasons, list) and reasons else None
            return Recommended(identity, number(at(member, "score")), fields, reason, attribution)

        return listed(at(document, "itemList"), item, at_most)

    @cached_property
    def _credentials(self) -> Any:
        from botocore.session import Session  # heavy, as are those below

        return Session().get_credentials()

    def _signed(self, body: bytes) -> dict[str, str]:
        """Return the headers that sign a request. Raises `SourceUnavailable` where there are no credentials."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        try:
            if self._credentials is None:
                raise SourceUnavailable(PORT, "no AWS credentials are to be found")
            request = AWSRequest("POST", self._url, {"content-type": "application/json"}, body)
            SigV4Auth(self._credentials.get_frozen_credentials(), "personalize", self._options.region).add_auth(request)
        except BotoCoreError as failure:
            raise SourceUnavailable(PORT, f"no AWS credentials are to be had ({type(failure).__name__})") from failure
        return dict(request.headers.items())
