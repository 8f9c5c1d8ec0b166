"""Profiles from Segment.

Source: https://segment.com/docs/unify/profile-api/. Traits come in pages, and those that are audiences are asked for
on their own, since only their class tells them from other truths.
"""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal, NamedTuple
from urllib.parse import quote

from pydantic import Field

from tessera.adapters.base import Reach, secret
from tessera.adapters.client import Call, ask_json, at
from tessera.adapters.platforms import SOURCE, PlatformOptions, consents_of, object_at, only, segments_of
from tessera.renderer.core.ports import Profile

HOSTS = {"us": "https://profiles.segment.com", "eu": "https://profiles.euw1.segment.com"}
PAGE = 100
"""Traits in a page. The documents name 100 as well as 200 for the most."""

MAX_PAGES = 20


class SegmentProfilesOptions(PlatformOptions):
    """Whose space it is."""

    space: str = Field(pattern="^[A-Za-z0-9_-]+$", description="Id of the space")
    token_variable: str = Field(description="Environment variable with the access token of the Profile API")
    region: Literal["us", "eu"] = Field("us", description="Where the workspace is: `us` or `eu`")
    id_type: str = Field("user_id", pattern="^[a-z0-9_]+$", description="Kind of external id that a visitor id is")


class _Traits(NamedTuple):
    found: Mapping[str, object]
    whole: bool


class SegmentProfiles:
    """Implements `Profiles`. Ids are sent in lower case, as Segment keeps them."""

    Options = SegmentProfilesOptions

    def __init__(self, options: SegmentProfilesOptions, reach: Reach) -> None:
        self._client = reach.client
        self._options = options
        self._auth = {"authorization": _basic(secret(options.token_variable) or "")}
        self._profiles = f"{HOSTS[options.region]}/v1/spaces/{options.space}/collections/users/profiles"

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        """Ask for the traits and for the audiences at once."""
        consent = self._options.consent
        wanted = sorted(traits | {consent} if consent is not None else traits)
        url = f"{self._profiles}/{self._options.id_type}:{quote(visitor_id.lower(), safe='')}/traits?limit={PAGE}"
        asked = [self._traits(f"{url}&class=audience")]
        if wanted:
            asked.append(self._traits(f"{url}&include={quote(','.join(wanted), safe=',')}"))
        answers = await asyncio.gather(*asked)
        if None in answers:
            return Profile(status="missing")
        audiences, *rest = [each for each in answers if each is not None]
        own = rest[0].found if rest else {}
        members = [name for name, member in audiences.found.items() if member is True]
        return Profile(
            only(traits, own),
            segments_of(self._options.audiences, members),
            "fresh" if audiences.whole and all(each.whole for each in rest) else "partial",
            {self._options.id_type: visitor_id.lower()},
            consents_of(own.get(consent)) if consent is not None else {},
        )

    async def _traits(self, url: str) -> _Traits | None:
        """Follow the pages of traits, None where there is no such profile (404)."""
        found: dict[str, object] = {}
        page = url
        for _ in range(MAX_PAGES):
            reply = await ask_json(self._client, SOURCE, Call("GET", page, self._auth), (HTTPStatus.NOT_FOUND,))
            if reply.status == HTTPStatus.NOT_FOUND:
                return None
            document = object_at(reply.document, "the reply")
            found |= object_at(document.get("traits"), "traits")
            following = at(document, "cursor.next")
            if at(document, "cursor.has_more") is not True or not isinstance(following, str) or not following:
                return _Traits(found, whole=True)
            page = f"{url}&next={quote(following, safe='')}"
        return _Traits(found, whole=False)


def _basic(token: str) -> str:
    """Return a token as the name of HTTP Basic, with an empty password (RFC 7617)."""
    return "Basic " + b64encode(f"{token}:".encode()).decode()
