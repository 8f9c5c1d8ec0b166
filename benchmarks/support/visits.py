"""What browsers ask of the benchmark's site, and where that site asks for profiles and lists."""

import json

from support.load import get
from support.servers import SECRET
from tessera.renderer.core.visitor import Identity, Trust

PATH = "/fragments/home/rail"
PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Mobile Safari/537.36"
)
FIELDS = ("sku", "title", "brand", "price")


def requests(first: int, count: int, path: str = PATH) -> list[bytes]:
    """Write a browser's requests, one for each of some visitors, whose name stands for ``{visitor}`` in the path."""
    identity = Identity(Trust(SECRET, None, "tessera_visitor", None, "tessera_consent", "granted"))
    return [
        get(
            path.replace("{visitor}", f"v{number}"),
            {
                "User-Agent": PHONE,
                "Accept": "text/html",
                "Accept-Language": "en-GB,en;q=0.9,de;q=0.5",
                "Cookie": f"theme=dark; tessera_consent=granted; tessera_visitor={identity.sign(f'v{number}')}",
            },
        )
        for number in range(first, first + count)
    ]


def headers(request: bytes) -> dict[str, str]:
    """Return the headers of a request, but for its host."""
    return dict(line.split(": ", 1) for line in request.decode().split("\r\n")[2:-2])


def settings(upstream: str) -> dict[str, str]:
    """Return the environment in which Tessera asks this upstream, patiently."""
    return {
        "TESSERA_PROFILES__ADAPTER": "http",
        "TESSERA_PROFILES__URL": upstream + "/profiles/{visitor_id}",
        "TESSERA_PROFILES__DEADLINE_MS": "5000",
        "TESSERA_LISTS__ADAPTER": "http",
        "TESSERA_LISTS__URL": upstream + "/lists/{kind}?visitor={visitor_id}",
        "TESSERA_LISTS__ITEM_ID": "sku",
        "TESSERA_LISTS__FIELDS": json.dumps({name: name for name in FIELDS}),
        "TESSERA_LISTS__DEADLINE_MS": "5000",
    }
