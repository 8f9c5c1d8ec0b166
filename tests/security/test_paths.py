"""Cache deception: what lies below or beside a fragment's path is not that fragment, and is not to be stored."""

import pytest

from tests.support.client import EDGE_SECRET, Client

DECEIVING = (
    "/fragments/home/name/x.css",
    "/fragments/home/name/",
    "/fragments/home/name;x.css",
    "/fragments/home/name%3Bx.css",
    "/fragments/home/name.css",
    "/fragments/home/name%2Fx.css",
    "/fragments/home/name%2f",
    "/fragments/home%2fname",
    "/fragments%2fhome%2Fname",
    "/fragments/home/name%23x.css",
    "/fragments/home/name%3Fx.css",
    "/fragments/home/name%00.css",
    "/fragments/home/name%0A.css",
    "/fragments/home/name%20",
    "/fragments/home/name%5Cx.css",
    "/fragments/home/NAME",
    "//fragments/home/name",
    "/fragments//home/name",
    "/fragments/home//name",
    "/x/%2e%2e/fragments/home/name",
    "/fragments/home/x.css/..%2fname",
    "/fragments/x/%2e%2e/home/name",
    "/fragments/home/%2e/name",
    "/fragments/home/name/%2e%2e/x.css",
    "/de/de/fragments/home/name",
    "/de%2ffragments/home/name",
    "/fr/fragments/home/name",
    "/pages/home/x.css",
    "/pages/home.css",
    "/pages%2fhome",
    "/pages/home%2fx.css",
    "/context/home/x.css",
    "/context/home.css",
    "/podium/home/name/content/x.css",
    "/podium/home/name/content.css",
    "/podium/home/name%2fcontent",
    "/podium/home%2fname/x/content",
    "/assets/../fragments/home/name%2fx",
    "/assets/tessera-fragment.js/x",
)


OTHER_ROUTES = (
    "/-/purge",
    "/-/metrics",
    "/purge",
    "/admin",
    "/notices",
    "/metrics",
    "/.tessera/tessera.sqlite",
    "/releases",
)
METHODS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
ELSEWHERE = ("https://x.example", "//x.example", "/\\x.example", "\\\\x.example", "javascript:alert(1)", " //x.example")
CONTROL = ("/\t/x.example", "/\n/x.example", "/\r\nset-cookie: x=1", "/\x00/x.example")


async def test_what_only_looks_like_a_fragment_is_nothing_and_is_not_stored(client: Client) -> None:
    for path in DECEIVING:
        reply = await client.http.get(f"http://test{path}", headers=client.headers("ann"))
        assert reply.status_code == 404, path
        assert reply.headers["cache-control"] == "no-store", path
        assert "ann" not in reply.text, path


@pytest.mark.parametrize("before", ["/fragments/home/..", "/fragments/home/%2e%2e", "/fragments/home/..;", "/pages/.."])
async def test_no_other_route_is_reached_through_the_paths_of_fragments(client: Client, before: str) -> None:
    for path in OTHER_ROUTES:
        assert (await client.http.get(f"http://test{before}{path}")).status_code == 404, path


async def test_a_fragment_is_only_read(client: Client) -> None:
    for method in METHODS:
        sent = {**client.headers("ann"), "x-tessera-edge-secret": EDGE_SECRET}
        reply = await client.http.request(method, "/fragments/home/name", headers=sent)
        assert (reply.status_code, reply.headers["cache-control"]) == (405, "no-store"), method
        assert "ann" not in reply.text, method


async def test_nobody_is_sent_to_another_site(client: Client) -> None:
    for to in ELSEWHERE:
        reply = await client.http.get("/preview", params={"to": to})
        assert reply.status_code == 400, to
        assert "location" not in reply.headers, to


async def test_where_a_preview_leads_is_one_header(client: Client) -> None:
    for to in CONTROL:
        reply = await client.http.get("/preview", params={"to": to})
        assert reply.headers["location"].startswith("/%"), to
        assert len(reply.headers.get_list("set-cookie")) == 1, to  # that takes the preview's away
