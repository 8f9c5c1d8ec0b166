"""Any other cache, by a JSON service of its owner's that knows how to purge it."""

from collections.abc import Sequence

from tessera.adapters.client import Client
from tessera.adapters.purging import send

MAX_LABELS = 100


class HttpDownstream:
    """Implements `Downstream`: `POST {"labels": [...], "hard": false}`, with a bearer token where there is one."""

    max_labels = MAX_LABELS

    def __init__(self, client: Client, token: str, *, url: str) -> None:
        self._client = client
        self._token = token
        self._url = url

    async def purge(self, labels: Sequence[str], *, hard: bool) -> None:
        """Tell the labels; any status from 200 to 299 says that it was done."""
        headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
        await send(self._client, "POST", self._url, headers, {"labels": list(labels), "hard": hard})
