"""Profiles from mParticle.

Source: https://docs.mparticle.com/developers/apis/profile-api/. Numbers arrive as text, which the types of facts allow.
"""

import json
import time
from http import HTTPStatus
from typing import Literal
from urllib.parse import quote

from pydantic import Field

from tessera.adapters.base import Reach, secret
from tessera.adapters.client import Call, Reply, ask_json, bearer
from tessera.adapters.platforms import SOURCE, AudienceOptions, object_at, only, segments_of
from tessera.adapters.tokens import Token, Tokens
from tessera.renderer.core.errors import SourceGarbled
from tessera.renderer.core.ports import PERSONALIZATION, Profile

LOGIN = "https://sso.auth.mparticle.com/oauth/token"
API = "https://api.mparticle.com"
FIELDS = "user_attributes,audience_memberships"
UNKNOWN = "profile is invalid"
"""What a 400 says of a visitor who is not known; any other 400 is a wrong request."""

UNDERSTOOD = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED)


class MparticleProfilesOptions(AudienceOptions):
    """Whose workspace it is."""

    org: str = Field(pattern="^[0-9]+$", description="Id of the organization")
    account: str = Field(pattern="^[0-9]+$", description="Id of the account")
    workspace: str = Field(pattern="^[0-9]+$", description="Id of the workspace")
    client_id_variable: str = Field(description="Environment variable with the client id")
    client_secret_variable: str = Field(description="Environment variable with the client secret")
    identity: str = Field(
        "customer_id",
        pattern="^[a-z0-9_]+$",
        description="Kind of identity that a visitor id is; `mpid` for mParticle's",
    )
    environment: Literal["production", "development"] = Field(
        "production", description="Whose data is read: `production` or `development`"
    )

    @property
    def tells_consent(self) -> bool:
        """Always: whoever opted out has refused."""
        return True


class MparticleProfiles:
    """Implements `Profiles`. Segments are audiences by their id, under the names that settings give them."""

    Options = MparticleProfilesOptions

    def __init__(self, options: MparticleProfilesOptions, reach: Reach) -> None:
        self._client = reach.client
        self._options = options
        self._place = f"{options.org}/{options.account}/{options.workspace}"
        self._tokens = Tokens(SOURCE, self._log_in)
        reach.closing.push_async_callback(self._tokens.close)

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        """Ask for one profile. Somebody who opted out has denied consent; a membership that expired is none."""
        reply = await self._ask(visitor_id)
        if reply.status == HTTPStatus.BAD_REQUEST:
            if UNKNOWN in json.dumps(reply.document).lower():
                return Profile(status="missing")
            raise SourceGarbled(SOURCE, "answered with status 400")
        document = object_at(reply.document, "the reply")
        return Profile(
            only(traits, object_at(document.get("user_attributes"), "user_attributes")),
            segments_of(self._options.audiences, _audiences(document.get("audience_memberships"))),
            ids={"mpid": str(document["mpid"])} if "mpid" in document else {},
            consents={PERSONALIZATION: "denied"} if document.get("is_opted_out") is True else {},
        )

    async def _ask(self, visitor_id: str) -> Reply:
        """Ask with the token that is at hand, and once more with a new one if the service does not take it."""
        for _ in range(2):
            token = await self._tokens.get()
            reply = await ask_json(self._client, SOURCE, self._call(visitor_id, token), UNDERSTOOD)
            if reply.status != HTTPStatus.UNAUTHORIZED:
                return reply
            self._tokens.refused(token)
        raise SourceGarbled(SOURCE, "answered with status 401, even to a new token")

    def _call(self, visitor_id: str, token: str) -> Call:
        options = self._options
        if options.identity == "mpid":
            url = f"{API}/userprofile/v1/{self._place}/{quote(visitor_id, safe='')}?fields={FIELDS}"
            return Call("GET", url, bearer(token))
        body = {
            "environment_type": options.environment,
            "identity": {"type": options.identity, "value": visitor_id},
        }
        return Call("POST", f"{API}/userprofile/v1/resolve/{self._place}?fields={FIELDS}", bearer(token), body)

    async def _log_in(self) -> Token:
        body = {
            "client_id": secret(self._options.client_id_variable),
            "client_secret": secret(self._options.client_secret_variable),
            "audience": API,
            "grant_type": "client_credentials",
        }
        reply = await ask_json(self._client, SOURCE, Call("POST", LOGIN, body=body))
        document = object_at(reply.document, "the reply")
        text, life_s = document.get("access_token"), document.get("expires_in")
        if not isinstance(text, str) or isinstance(life_s, bool) or not isinstance(life_s, int | float):
            raise SourceGarbled(SOURCE, "the login gave no access token")
        return Token(text, life_s)


def _audiences(memberships: object) -> set[str]:
    """Return the ids of the audiences of which the visitor is a member now."""
    if memberships is None:
        return set()
    if not isinstance(memberships, list):
        raise SourceGarbled(SOURCE, "`audience_memberships` is not a list")
    now_ms = time.time() * 1000
    found = set()
    for each in memberships:
        membership = object_at(each, "audience_memberships")
        until_ms = membership.get("expiration_timestamp_ms")
        if "audience_id" in membership and (not isinstance(until_ms, int | float) or until_ms > now_ms):
            found.add(str(membership["audience_id"]))
    return found
