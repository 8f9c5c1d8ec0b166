"""Cloudflare, by cache tags. It knows no soft purge, so each one is hard.

Source: https://developers.cloudflare.com/cache/how-to/purge-cache/purge-by-tags/
"""

import json
from collections.abc import Sequence

from tessera.adapters.client import Client
from tessera.adapters.purging import send
from tessera.renderer.core.errors import Unpurged

MAX_LABELS = 30
"""Tags in one call. It was raised to 100 in 2025; 30 is what every plan has ever taken."""


class CloudflareDownstream:
    """Implements `Downstream`. Everything is a tag, too: the zone may hold more than what Tessera answers."""

    max_labels = MAX_LABELS

    def __init__(self, client: Client, token: str, *, url: str | None, zone: str) -> None:
        """``zone`` is the id of the zone; ``url`` is the API's address, where it is another than Cloudflare's."""
        self._client = client
        self._token = token
        self._url = f"{url or 'https://api.cloudflare.com/client/v4'}/zones/{zone}/purge_cache"

    async def purge(self, labels: Sequence[str], *, hard: bool) -> None:
        """Purge by tags; that it was done stands in the reply's body."""
        headers = {"authorization": f"Bearer {self._token}"}
        reply = await send(self._client, "POST", self._url, headers, {"tags": list(labels)})
        try:
            done = json.loads(reply)
        except ValueError as garbled:
            raise Unpurged("the reply is not JSON") from garbled
        if not isinstance(done, dict) or done.get("success") is not True:
            raise Unpurged("the reply does not say that it was done")
