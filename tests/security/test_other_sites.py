"""What other sites' scripts and frames may do: nothing, but for those that are listed."""

from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from tessera.renderer.settings_serving import Http
from tests.security.shop import SECRETS, attacked
from tests.support.client import Client

SHOP = "https://shop.example"
OTHER = (
    "https://evil.example",
    "https://shop.example.evil.example",
    "http://shop.example",
    "null",
    "",
    "https://Shop.example",
)
PREFLIGHT = {"access-control-request-method": "GET", "access-control-request-headers": "x-tessera-digest"}


def allowed(headers: httpx.Headers) -> list[str]:
    return [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", ["/fragments/home/name", "/fragments/home/same", "/pages/home", "/visitor", "/no"])
async def test_nobody_is_let_in_unless_listed(client: Client, path: str) -> None:
    for method in ("GET", "OPTIONS", "POST"):
        for origin in (SHOP, *OTHER):
            reply = await client.http.request(method, path, headers={"origin": origin, **PREFLIGHT})
            assert allowed(reply.headers) == []


async def test_who_is_listed_may_ask_for_fragments_with_cookies(tmp_path: Path) -> None:
    async with attacked(tmp_path, cors_origins=(SHOP,)) as client:
        reply = await client.get("/fragments/home/name", "ann", origin=SHOP)
        assert SECRETS["ann"] in reply.text
        assert reply.headers["access-control-allow-origin"] == SHOP
        assert reply.headers["access-control-allow-credentials"] == "true"
        batch = {"fragments": [{"page": "home", "slot": "same"}]}
        reply = await client.http.post("/fragments", json=batch, headers={"origin": SHOP})
        assert reply.headers["access-control-allow-origin"] == SHOP
        assert (await client.http.get("/de/fragments/home/same", headers={"origin": SHOP})).headers["vary"] == "Origin"


async def test_a_preflight_is_answered_without_asking_anything(tmp_path: Path) -> None:
    async with attacked(tmp_path, cors_origins=(SHOP,)) as client:
        reply = await client.http.options("/fragments/home/name", headers={"origin": SHOP, **PREFLIGHT})
        assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (200, SHOP)
        for wrong in (
            {"origin": "https://evil.example"},
            {"access-control-request-method": "DELETE"},
            {"access-control-request-headers": "x-tessera-edge-secret"},
        ):
            sent = {"origin": SHOP, **PREFLIGHT, **wrong}
            assert (await client.http.options("/fragments/home/name", headers=sent)).status_code == 400
        assert client.world.calls == []


async def test_others_are_not_let_in_where_some_are(tmp_path: Path) -> None:
    async with attacked(tmp_path, cors_origins=(SHOP,)) as client:
        for origin in OTHER:
            reply = await client.get("/fragments/home/same", None, origin=origin)
            assert "access-control-allow-origin" not in reply.headers
        for path in ("/pages/home", "/visitor", "/context/home", "/preview", "/podium/home/name/content"):
            reply = await client.http.get(path, headers={"origin": SHOP})
            assert allowed(reply.headers) == []


async def test_caches_keep_sites_apart_where_any_is_listed(tmp_path: Path) -> None:
    async with attacked(tmp_path, cors_origins=(SHOP,)) as client:
        for headers in ({}, {"origin": SHOP}, {"origin": "https://evil.example"}):
            reply = await client.http.get("/fragments/home/same", headers=headers)
            assert reply.headers["vary"] == "Origin"
            digest = await client.http.get("/fragments/home/tier", headers=headers)
            assert digest.headers["vary"] == "X-Tessera-Digest, Origin"


@pytest.mark.parametrize(
    "origin", ["*", "shop.example", "https://shop.example/", "https://*.example", "https://x y", "null"]
)
def test_a_list_names_origins(origin: str) -> None:
    with pytest.raises(ValidationError, match=r"an origin is a scheme and a host, such as `https://shop\.example`"):
        Http(cors_origins=(origin,))


async def test_pages_are_not_framed_sniffed_or_told_on(client: Client) -> None:
    for path in ("/pages/home", "/de/pages/home"):
        headers = (await client.get(path, "ann")).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert "frame-ancestors 'self'" in headers["content-security-policy"]


async def test_who_may_frame_pages_is_a_setting(tmp_path: Path) -> None:
    async with attacked(
        tmp_path, frame_ancestors="'self' https://cms.example", referrer_policy="no-referrer"
    ) as client:
        headers = (await client.http.get("/pages/home")).headers
        assert "frame-ancestors 'self' https://cms.example" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("words", ["'self'; script-src *", "'self', x", "a\r\nb: c", "", " "])
def test_who_may_frame_pages_says_nothing_else(words: str) -> None:
    with pytest.raises(ValidationError):
        Http(frame_ancestors=words)


async def test_no_text_is_taken_for_something_else(client: Client) -> None:
    batch = {"fragments": [{"page": "home", "slot": "same"}]}
    for reply in (
        await client.http.get("/fragments/home/nothing"),
        await client.http.get("/fragments/home/same/x.js"),
        await client.http.post("/fragments", content=b"<script>"),
        await client.http.post("/fragments", json=batch),
        await client.http.post("/fragments", json={**batch, "stream": True}),
    ):
        assert reply.headers["x-content-type-options"] == "nosniff"
