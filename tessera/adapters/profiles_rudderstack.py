"""Profiles from RudderStack's Activation API.

Source: https://www.rudderstack.com/docs/profiles/activation-api/. What is inside a feature view is not specified there:
its members are taken for traits, and those that are true for segments.
"""

from typing import Literal

from pydantic import Field

from tessera.adapters.base import Reach, secret
from tessera.adapters.client import Call, ask_json, bearer
from tessera.adapters.platforms import (
    SOURCE,
    PlatformOptions,
    consents_of,
    names_at,
    object_at,
    only,
    segments_of,
)
from tessera.renderer.core.ports import Profile

HOSTS = {"us": "https://profiles.rudderstack.com", "eu": "https://profiles-eu.rudderstack.com"}


class RudderstackProfilesOptions(PlatformOptions):
    """Which store of activations it is."""

    destination: str = Field(description="Id of the Redis destination that the profiles are synchronized to")
    token_variable: str = Field(description="Environment variable with the service access token")
    region: Literal["us", "eu"] = Field("us", description="Where the workspace is: `us` or `eu`")
    entity: str = Field("user", description="Entity of the profiles project that a visitor is")
    id_type: str = Field("user_id", description="Kind of id that a visitor id is")
    view: str | None = Field(
        None, description="Feature view to read; without it all are, where two differ the one whose name comes first"
    )


class RudderstackProfiles:
    """Implements `Profiles`."""

    Options = RudderstackProfilesOptions

    def __init__(self, options: RudderstackProfilesOptions, reach: Reach) -> None:
        self._client = reach.client
        self._options = options
        self._url = f"{HOSTS[options.region]}/v2/activation"
        self._headers = bearer(secret(options.token_variable) or "")

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        """Ask for one profile; empty data is a visitor that RudderStack does not know."""
        options = self._options
        reply = await ask_json(self._client, SOURCE, Call("POST", self._url, self._headers, self._about(visitor_id)))
        views = object_at(object_at(reply.document, "the reply").get("data"), "data")
        if not views:
            return Profile(status="missing")
        found: dict[str, object] = {}
        for name in sorted(views, reverse=True) if options.view is None else [options.view]:
            found |= object_at(views.get(name), f"data.{name}")
        return Profile(
            only(traits, found),
            segments_of(options.audiences, names_at(found, "data")),
            ids={options.id_type: visitor_id},
            consents=consents_of(found.get(options.consent)) if options.consent is not None else {},
        )

    async def erase(self, visitor_id: str) -> None:
        """Delete what is there about a visitor: the same address and body; 404 says that the settings are wrong."""
        call = Call("DELETE", self._url, self._headers, self._about(visitor_id))
        await ask_json(self._client, SOURCE, call, (202, 204))

    def _about(self, visitor_id: str) -> dict[str, object]:
        options = self._options
        return {
            "entity": options.entity,
            "destinationId": options.destination,
            "id": {"type": options.id_type, "value": visitor_id},
        }
