"""What every adapter of a vendor has to stand: replies that say nothing, or never come whole."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import respx

from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceTimeout, SourceUnavailable
from tessera.renderer.core.ports import ListQuery, Recommender

Effect = httpx.Response | Exception
FAILURES: Mapping[str, tuple[Effect, type[SourceError], str]] = {
    "rate limit": (httpx.Response(429, headers={"retry-after": "7"}), SourceUnavailable, "status 429"),
    "server error": (httpx.Response(503, text="busy"), SourceUnavailable, "status 503"),
    "refused": (httpx.Response(401, json={"message": "no"}), SourceGarbled, "status 401"),
    "redirect": (httpx.Response(302, headers={"location": "https://evil.example/"}), SourceGarbled, "status 302"),
    "malformed": (httpx.Response(200, text='{"recomms": ['), SourceGarbled, "not JSON"),
    "wrong types": (httpx.Response(200, json={"recomms": {}, "itemList": 1, "results": "x"}), SourceGarbled, "list"),
    "cut off": (httpx.RemoteProtocolError("peer closed"), SourceUnavailable, "cannot be reached"),
    "no connection": (httpx.ConnectError("refused"), SourceUnavailable, "cannot be reached"),
    "slow": (httpx.ReadTimeout("slow"), SourceTimeout, "in time"),
}

each_failure = pytest.mark.parametrize("failure", FAILURES)
WITHIN = "visitor-17"


async def expect_failure(upstream: respx.MockRouter, failure: str, recommender: Recommender, query: ListQuery) -> int:
    """Let every call fail so, and hold that it is told, without the visitor's id. Returns how many calls there were."""
    effect, error, message = FAILURES[failure]
    route = upstream.route(url__startswith="https://")
    route.mock(side_effect=effect if isinstance(effect, Exception) else lambda _request: _copy(effect))
    with pytest.raises(error, match=r"^items: ") as failed:
        await recommender.items(query)
    assert message in str(failed.value)
    assert WITHIN not in str(failed.value)
    return route.call_count


def _copy(reply: httpx.Response) -> httpx.Response:
    return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)


def body_of(route: respx.Route, call: int = -1) -> Any:
    """Return the JSON that was sent."""
    return json.loads(route.calls[call].request.content)
