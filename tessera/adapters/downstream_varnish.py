"""Varnish, by vmod_xkey of varnish-modules (in Debian a package of that name) and `deploy/varnish.vcl`.

Source: `vmod_xkey(3)`: ``softpurge`` ends the lifetime of what has a key and leaves its grace.
"""

from collections.abc import Sequence

from tessera.adapters.client import Client
from tessera.adapters.purging import send

MAX_LABELS = 12
"""Of at most 256 bytes each: Varnish takes request headers of up to 8 KB (`http_req_hdr_len`)."""


class VarnishDownstream:
    """Implements `Downstream`: a request `PURGE` that names the keys."""

    max_labels = MAX_LABELS

    def __init__(self, client: Client, *, url: str) -> None:
        """``url`` is the address of one Varnish."""
        self._client = client
        self._url = url

    async def purge(self, labels: Sequence[str], *, hard: bool) -> None:
        """Name the keys in the header that says how."""
        await send(self._client, "PURGE", self._url, {"xkey-purge" if hard else "xkey-softpurge": " ".join(labels)})
