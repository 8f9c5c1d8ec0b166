"""Profiles from a JSON service, by a declared mapping."""

import httpx

from tessera.adapters.client import at, fill_url, get_json
from tessera.renderer.core.errors import SourceGarbled
from tessera.renderer.core.ports import Profile


class HttpProfiles:
    """Implements `Profiles`. ``url`` may hold ``{visitor_id}`` and ``{traits}`` (comma-separated names)."""

    def __init__(self, client: httpx.AsyncClient, token: str | None, *, url: str, traits: str, segments: str) -> None:
        self._client = client
        self._url = url
        self._token = token
        self._traits = traits
        self._segments = segments

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
