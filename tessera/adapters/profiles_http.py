"""Profiles from a JSON service, by a declared mapping."""

from pydantic import Field

from tessera.adapters.base import Options, Reach, secret
from tessera.adapters.client import at, fill_url, get_json
from tessera.renderer.core.errors import SourceGarbled
from tessera.renderer.core.ports import Profile


class HttpProfilesOptions(Options):
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

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        """Fetch one profile; 404, and an empty object, mean a visitor that the service does not know."""
        url = fill_url(self._url, {"visitor_id": visitor_id, "traits": ",".join(sorted(traits))})
        document = await get_json(self._client, "profile", url, self._token)
        if not document:
            return Profile(status="missing")
        found = at(document, self._traits)
        if found is not None and not isinstance(found, dict):
            raise SourceGarbled("profile", f"`{self._traits}` is not an object")
        kept = {name: value for name, value in (found or {}).items() if name in traits}
        return Profile(kept, self._segment_names(at(document, self._segments)))

    def _segment_names(self, found: object) -> frozenset[str]:
        if found is None:
            return frozenset()
        if isinstance(found, dict):
            return frozenset(name for name, member in found.items() if member is True)
        if isinstance(found, list) and all(isinstance(name, str) for name in found):
            return frozenset(found)
        raise SourceGarbled("profile", f"`{self._segments}` is neither a list of names nor an object")
