"""Profiles from a JSON service, by a declared mapping."""

from pydantic import Field

from tessera.adapters.base import Reach, secret
from tessera.adapters.client import at, fill_url, get_json
from tessera.adapters.platforms import SOURCE, PlatformOptions, consents_of, names_at, object_at, only, segments_of
from tessera.renderer.core.ports import Profile


class HttpProfilesOptions(PlatformOptions):
    """Where the service is, and where in its JSON things are."""

    url: str = Field(pattern="^https?://", description="Address, in which `{visitor_id}` and `{traits}` are filled in")
    traits: str = Field("traits", description="Where the traits are in the service's JSON, dotted")
    segments: str = Field(
        "segments", description="Where the segments are: a list of names, or an object of name to true or false"
    )
    token_variable: str | None = Field(None, description="Environment variable with a bearer token")


class HttpProfiles:
    """Implements `Profiles`. ``url`` may hold ``{visitor_id}`` and ``{traits}`` (comma-separated names)."""

    Options = HttpProfilesOptions
    idempotent = True

    def __init__(self, options: HttpProfilesOptions, reach: Reach) -> None:
        self._client = reach.client
        self._url = options.url
        self._token = secret(options.token_variable)
        self._traits = options.traits
        self._segments = options.segments
        self._audiences = options.audiences
        self._consent = options.consent

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        """Fetch one profile; 404, and an empty object, mean a visitor that the service does not know."""
        url = fill_url(self._url, {"visitor_id": visitor_id, "traits": ",".join(sorted(traits))})
        document = await get_json(self._client, SOURCE, url, self._token)
        if not document:
            return Profile(status="missing")
        return Profile(
            only(traits, object_at(at(document, self._traits), self._traits)),
            segments_of(self._audiences, names_at(at(document, self._segments), self._segments)),
            consents=consents_of(at(document, self._consent)) if self._consent is not None else {},
        )
