"""`Cache-Status` (RFC 9211): whether a fragment was at hand, and if not, why."""

from collections.abc import Collection, Mapping

from tessera.renderer.pipeline import Answer, farthest
from tessera.renderer.respond import Headers
from tessera.renderer.tally import Found

HIT = (b"cache-status", b"tessera; hit")
STATUSES: Mapping[Found | None, Headers] = {
    "memory": [HIT],
    "redis": [(b"cache-status", b"tessera; hit; detail=shared")],
    "coalesced": [(b"cache-status", b"tessera; fwd=miss; collapsed")],
    "miss": [(b"cache-status", b"tessera; fwd=miss; detail=new")],
    None: [(b"cache-status", b"tessera; fwd=bypass")],
}
"""By where the farthest fragment of an answer was found. What is not looked up shows nothing, or is a preview."""


def cache_status(answers: Collection[Answer]) -> Headers:
    """Tell it of an answer that was made of these: one, most often, which then costs nothing to look for."""
    if len(answers) == 1:
        (answer,) = answers
        return STATUSES[answer.found]
    return STATUSES[farthest(answer.found for answer in answers)]
