"""Cache poisoning: nothing that a cache does not keep answers apart by changes a byte of an answer that it may keep."""

import pytest

from tests.support.client import Client

EVIL = "evil.example"
UNKEYED = {
    "accept": "application/json",
    "accept-language": "de",
    "authorization": "Bearer x",
    "cache-control": "no-cache",
    "client-ip": "6.6.6.6",
    "cookie": "tessera_consent=granted; tessera_locale=de; tessera_visitor=ann; tessera_persona=ann",
    "fastly-client-ip": "6.6.6.6",
    "forwarded": f"for=6.6.6.6;host={EVIL};proto=http",
    "front-end-https": "on",
    "hx-request": "true",
    "origin": f"https://{EVIL}",
    "range": "bytes=0-1",
    "if-range": '"x"',
    "referer": f"https://{EVIL}/",
    "sec-fetch-site": "cross-site",
    "sec-gpc": "1",
    "surrogate-capability": 'x="ESI/1.0"',
    "te": "trailers",
    "true-client-ip": "6.6.6.6",
    "turbo-frame": "<script>",
    "user-agent": "<script>alert(1)</script>",
    "via": f"1.1 {EVIL}",
    "x-forwarded-for": "6.6.6.6",
    "x-forwarded-host": EVIL,
    "x-forwarded-path": "/admin",
    "x-forwarded-port": "6666",
    "x-forwarded-prefix": f"//{EVIL}",
    "x-forwarded-proto": "gopher",
    "x-forwarded-scheme": "http",
    "x-forwarded-server": EVIL,
    "x-geo-country": "XX",
    "x-host": EVIL,
    "x-http-host-override": EVIL,
    "x-http-method": "POST",
    "x-http-method-override": "POST",
    "x-method-override": "DELETE",
    "x-original-host": EVIL,
    "x-original-url": "/fragments/home/name",
    "x-real-ip": "6.6.6.6",
    "x-requested-with": "XMLHttpRequest",
    "x-rewrite-url": "/fragments/home/name",
    "x-tessera-visitor": "ann",
    "x-url-scheme": "gopher",
    "x-wap-profile": f"https://{EVIL}/x.xml",
}
SHAREABLE = (
    "/fragments/home/same",
    "/fragments/home/echo?q=tent",
    "/fragments/home/rail",
    "/podium/home/same/manifest.json",
    "/podium/home/same/content",
    "/podium/home/same/fallback",
    "/assets/tessera-fragment.js",
)


@pytest.mark.parametrize("path", SHAREABLE)
async def test_no_header_changes_a_byte_of_what_all_may_share(client: Client, path: str) -> None:
    await client.http.get(path)  # so that it is at hand each time, as `Cache-Status` tells
    plain = await client.http.get(path)
    assert plain.status_code == 200
    assert "public" in plain.headers["cache-control"]
    for name, value in UNKEYED.items():
        changed = await client.http.get(path, headers={name: value})
        assert (changed.status_code, changed.headers, changed.content) == (200, plain.headers, plain.content), name


async def test_no_header_changes_a_byte_of_what_shares_a_digest(client: Client) -> None:
    told = (await client.get("/context/home", "ann")).headers["tessera-context"]
    digest = dict(member.split("=") for member in told.split(", "))["tier"]
    plain = await client.get("/fragments/home/tier", "ann", x_tessera_digest=digest)
    assert plain.text == "<b>gold</b>"
    assert "max-age" in plain.headers["cdn-cache-control"]
    for name, value in UNKEYED.items():
        if name not in ("cookie", "sec-gpc"):
            sent = {**client.headers("ann"), "x-tessera-digest": digest, name: value}
            changed = await client.http.get("/fragments/home/tier", headers=sent)
            assert (changed.headers, changed.content) == (plain.headers, plain.content), name


async def test_under_somebody_elses_digest_nothing_is_stored(client: Client) -> None:
    told = (await client.get("/context/home", "ann")).headers["tessera-context"]
    digest = dict(member.split("=") for member in told.split(", "))["tier"]
    reply = await client.get("/fragments/home/tier", "bob", x_tessera_digest=digest)
    assert reply.text == "<b>same</b>"
    assert reply.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80@test", "test:99999", "[::1]", "a" * 300, ""])
async def test_no_answer_is_about_the_host_that_a_request_names(client: Client, host: str) -> None:
    for path in (*SHAREABLE, "/pages/home", "/visitor/", "/preview/", "/fragments/home/same/", "/no"):
        await client.http.get(path)
        plain = await client.http.get(path)
        reply = await client.http.get(path, headers={"host": host})
        assert (reply.status_code, reply.headers, reply.content) == (plain.status_code, plain.headers, plain.content)
        assert "location" not in reply.headers
