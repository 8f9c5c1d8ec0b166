"""What browsers ask of the benchmark's site, and where that site asks for profiles and lists."""

import json
from random import Random

from support.load import get
from support.servers import SECRET
from support.traces import zipf
from tessera.renderer.core.visitor import Identity, Trust
from tessera.renderer.understand import cart_signer

PATH = "/fragments/home/rail"
SHOP = "/pages/shop"
CART_SECRET = "a cart secret for benchmarks only"
PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Mobile Safari/537.36"
)
FIELDS = ("sku", "title", "brand", "price")


def requests(first: int, count: int, path: str = PATH) -> list[bytes]:
    """Write a browser's requests, one for each of some visitors, whose name stands for ``{visitor}`` in the path."""
    return [request(number, path) for number in range(first, first + count)]


def request(number: int, path: str, **more: str) -> bytes:
    """Write a browser's request for a visitor, with headers beside the usual ones."""
    identity = Identity(Trust(SECRET, None, "tessera_visitor", None, "tessera_consent", "granted"))
    return get(
        path.replace("{visitor}", f"v{number}"),
        {
            "User-Agent": PHONE,
            "Accept": "text/html",
            "Accept-Language": "en-GB,en;q=0.9,de;q=0.5",
            "Cookie": f"theme=dark; tessera_consent=granted; tessera_visitor={identity.sign(f'v{number}')}",
            **{name.replace("_", "-"): value for name, value in more.items()},
        },
    )


def views(count: int, visitors: int, seed: int = 7) -> list[bytes]:
    """Write requests for the shop's page by visitors whom Zipf's law draws; the shop signs their carts."""
    draw, carts = zipf(Random(seed), visitors, 1.0), cart_signer(CART_SECRET)
    written: dict[int, bytes] = {}
    drawn = [draw() for _ in range(count)]
    for number in drawn:
        if number not in written:
            cart = {"value": {"amount": number % 10 * 1_000, "currency": "EUR"}}
            written[number] = request(number, SHOP, x_tessera_cart=str(carts.dumps(cart)))
    return [written[number] for number in drawn]


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
