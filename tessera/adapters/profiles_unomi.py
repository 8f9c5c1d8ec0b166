"""Profiles from Apache Unomi.

Source: https://unomi.apache.org/manual/latest/ ("context.json") and its `ContextResponse`. To ask Unomi is to make it
create a profile and a session. That is so for visitors with an id only, hence neither for crawlers nor without consent:
nobody else's profile is ever asked for.
"""

from collections.abc import Mapping
from urllib.parse import quote

from pydantic import Field

from tessera.adapters.base import Reach, secret
from tessera.adapters.client import Call, ask_json, at
from tessera.adapters.platforms import SOURCE, AudienceOptions, names_at, object_at, only, segments_of
from tessera.renderer.core.ports import PERSONALIZATION, Consent, Profile

DENIED = ("DENIED", "REVOKED")


class UnomiProfilesOptions(AudienceOptions):
    """Where Unomi is."""

    url: str = Field(pattern="^https?://", description="Address of Unomi, such as `https://unomi.example`")
    scope: str = Field(description="Scope that the visits belong to")
    key_variable: str | None = Field(
        None, description="Environment variable with the tenant's public key, which Unomi asks for since 3.1"
    )
    consent: str | None = Field(
        None, description="Key of the consent for personalization, such as `example/personalization`"
    )

    @property
    def tells_consent(self) -> bool:
        """Always: whoever browses anonymously has refused."""
        return True


class UnomiProfiles:
    """Implements `Profiles`. Whoever browses anonymously, by Unomi's own word, has denied consent."""

    Options = UnomiProfilesOptions

    def __init__(self, options: UnomiProfilesOptions, reach: Reach) -> None:
        self._client = reach.client
        self._options = options
        self._url = options.url.rstrip("/") + "/cxs/context.json?sessionId="
        key = secret(options.key_variable)
        self._headers = {"x-unomi-api-key": key} if key else {}

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        """Ask for one context. A visitor has one session, so that many requests make no more than that."""
        body = {
            "sessionId": visitor_id,
            "profileId": visitor_id,
            "source": {"itemId": "tessera", "itemType": "site", "scope": self._options.scope},
            "requireSegments": True,
            "requiredProfileProperties": sorted(traits),
        }
        call = Call("POST", self._url + quote(visitor_id, safe=""), self._headers, body)
        document = object_at((await ask_json(self._client, SOURCE, call)).document, "the reply")
        found = object_at(document.get("profileProperties"), "profileProperties")
        segments = document.get("profileSegments")
        identity = document.get("profileId")
        return Profile(
            only(traits, found),
            segments_of(self._options.audiences, names_at(_listed(segments), "profileSegments")),
            ids={"profile_id": identity} if isinstance(identity, str) else {},
            consents=self._consents(document),
        )

    def _consents(self, document: Mapping[str, object]) -> Mapping[str, Consent]:
        if document.get("anonymousBrowsing") is True:
            return {PERSONALIZATION: "denied"}
        if self._options.consent is None:
            return {}
        consents = object_at(document.get("consents"), "consents")
        status = at(consents.get(self._options.consent), "status")
        return {PERSONALIZATION: "denied" if status in DENIED else "granted"} if isinstance(status, str) else {}


def _listed(found: object) -> object:
    """Return a text alone as a list of it: where Unomi's code has a list, its manual has shown a single text."""
    return [found] if isinstance(found, str) else found
