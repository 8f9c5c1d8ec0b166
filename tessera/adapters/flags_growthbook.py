"""Flags from GrowthBook: its features are loaded once and refreshed behind answers, and decided on here by its own SDK.

The SDK's own loading is not used: it keeps one state for the whole process, follows redirects and reads replies of any
size (growthbook 4.0.0, `growthbook_client.py`). Where features come from and what they look like: GrowthBook's
documentation, "SDK Connection Endpoint". Its stream has two events: `features` brings them, and `features-updated`
says that there are others.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from http import HTTPStatus

from growthbook.common_types import EvaluationContext, GlobalContext, StackContext, UserContext, features_from_dict
from growthbook.common_types import Options as SdkOptions
from growthbook.core import eval_feature
from pydantic import Field, NonNegativeFloat
from pydantic_core import from_json

from tessera.adapters.base import Options, Reach
from tessera.adapters.client import Call, ask_json, fill_url
from tessera.adapters.streaming import EventStream
from tessera.renderer.core.errors import SourceError, SourceGarbled
from tessera.renderer.core.ports import FlagQuery

ODD = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError)
"""What the SDK raises of features that are not in its shape."""
log = logging.getLogger("tessera")


class GrowthBookOptions(Options):
    """Where GrowthBook is, and how long what it says holds."""

    host: str = Field("https://cdn.growthbook.io", pattern="^https?://", description="Address of its API or proxy")
    client_key: str = Field(min_length=1, description="Client key of the SDK connection, such as `sdk-abc123`")
    refresh_s: NonNegativeFloat = Field(
        60, description="Seconds after which the features are loaded anew, behind the answers"
    )
    keep_s: NonNegativeFloat = Field(
        3600, description="Seconds for which features are gone by while newer ones cannot be had"
    )
    streaming: bool = Field(
        False, description="Whether to be told of changes as they are made, where GrowthBook offers a stream"
    )


class GrowthBookFlags:
    """Implements `Flags`. What is kept are features, which are rules, and nobody's answers."""

    Options = GrowthBookOptions

    def __init__(self, options: GrowthBookOptions, reach: Reach) -> None:
        self._client = reach.client
        host, key = options.host.rstrip("/"), {"key": options.client_key}
        self._url = fill_url(host + "/api/features/{key}", key)
        self._stream = EventStream(reach.client, fill_url(host + "/sub/{key}", key), self._refresh, self._hear)
        self._options = options
        self._features: GlobalContext | None = None
        self._version: str | None = None
        self._loaded_s = 0.0
        self._loading = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None
        reach.closing.push_async_callback(self._close)

    async def flags(self, query: FlagQuery) -> Mapping[str, object]:
        """Decide on each flag. The first call waits for the features, and so does one that finds them too old."""
        if (features := self._at_hand(self._options.keep_s)) is None:
            async with self._loading:
                features = self._at_hand(self._options.keep_s) or await self._load()
        elif self._at_hand(self._options.refresh_s) is None and (self._refreshing is None or self._refreshing.done()):
            self._refreshing = asyncio.create_task(self._refresh())
        user = UserContext(attributes={name: _plain(value) for name, value in query.attributes})
        found = {key: _decide(key, user, features) for key, _ in query.wanted if key in features.features}
        return {key: value for key, value in found.items() if value is not None}

    def _at_hand(self, at_most_s: float) -> GlobalContext | None:
        """Return the features, where they are no older than this."""
        return self._features if time.monotonic() - self._loaded_s < at_most_s else None

    async def _refresh(self) -> None:
        try:
            await self._load()
        except SourceError as failure:
            log.warning("%s; older features are gone by", failure)

    async def _hear(self, event: str, said: str) -> None:
        """Take what the stream says of other features."""
        if event == "features-updated":
            await self._refresh()
        elif event == "features":
            try:
                self._take(from_json(said), time.monotonic(), None)
            except (SourceGarbled, ValueError):
                log.warning("flags: the stream brought no features; older features are gone by")

    async def _load(self) -> GlobalContext:
        """Ask for the features, if they are others than those at hand (RFC 9110, section 13.1.2)."""
        began_s = time.monotonic()
        known = {"if-none-match": self._version} if self._version is not None else {}
        understood = (HTTPStatus.NOT_FOUND, *((HTTPStatus.NOT_MODIFIED,) if known else ()))
        reply = await ask_json(self._client, "flags", Call("GET", self._url, known), understood)
        if self._options.streaming and reply.headers.get("x-sse-support") == "enabled":
            self._stream.start()
        if reply.status == HTTPStatus.NOT_MODIFIED and self._features is not None:
            self._loaded_s = max(self._loaded_s, began_s)
            return self._features
        return self._take(reply.document, began_s, reply.headers.get("etag"))

    def _take(self, document: object, began_s: float, version: str | None) -> GlobalContext:
        """Go by these features, unless newer ones have come since ``began_s``. Returns those to go by."""
        found = document.get("features") if isinstance(document, dict) else None
        if not isinstance(document, dict) or not isinstance(found, dict):
            raise SourceGarbled("flags", "the reply has no features: is the client key right, and nothing encrypted?")
        groups = document.get("savedGroups")
        try:
            features = features_from_dict(found)
        except ODD as failure:
            raise SourceGarbled("flags", "the features are not as GrowthBook has them") from failure
        if self._features is None or began_s >= self._loaded_s:
            self._features = GlobalContext(SdkOptions(), features, groups if isinstance(groups, dict) else {})
            self._loaded_s, self._version = began_s, version
        return self._features

    async def _close(self) -> None:
        await self._stream.close()
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)


def _decide(key: str, user: UserContext, features: GlobalContext) -> object:
    context = EvaluationContext(user, features, StackContext(evaluated_features=set()))
    try:
        value: object = eval_feature(key, context).value
    except ODD as failure:
        raise SourceGarbled("flags", f"the feature `{key}` is not as GrowthBook has them") from failure
    return value


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
