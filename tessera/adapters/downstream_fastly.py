"""Fastly, by surrogate keys.

Source: https://www.fastly.com/documentation/reference/api/purging/ ("Purge multiple surrogate key tags").
"""

from collections.abc import Sequence

from tessera.adapters.client import Client
from tessera.adapters.purging import send

MAX_LABELS = 256


class FastlyDownstream:
    """Implements `Downstream`. Everything is a key, too, since Fastly's purge of all is never soft."""

    max_labels = MAX_LABELS

    def __init__(self, client: Client, token: str, *, url: str | None, service: str) -> None:
        """``service`` is the id of the service; ``url`` is the API's address, where it is another than Fastly's."""
        self._client = client
        self._token = token
        self._url = f"{url or 'https://api.fastly.com'}/service/{service}/purge"

    async def purge(self, labels: Sequence[str], *, hard: bool) -> None:
        """Purge by keys in one batch."""
        soft = {} if hard else {"fastly-soft-purge": "1"}
        headers = {"fastly-key": self._token, **soft}
        await send(self._client, "POST", self._url, headers, {"surrogate_keys": list(labels)})
