"""Response splitting: no data, and nothing that is sent, ends a header, begins another, or forges a part."""

from email.parser import BytesParser
from pathlib import Path

import httpx
import pytest

from tessera.renderer.core.ports import Profile
from tests.security.shop import attacked
from tests.support.client import EDGE_SECRET, Client
from tests.support.fakes import item

SPLIT = "x\r\nset-cookie: owned=1\r\n\r\n<html>\x00\u2028\u560d\u560a"
PATHS = ("/fragments/home/name", "/fragments/home/rail", "/fragments/home/link", "/pages/home", "/context/home")


def assert_whole(reply: httpx.Response) -> None:
    """Every header is one line, and none is there that data made; an item's id may stand in a label, encoded."""
    for name, value in reply.headers.raw:
        assert name.isascii()
        assert not set(value) & {0, 10, 13}
    assert "owned=1" not in str(reply.headers.raw)


@pytest.mark.parametrize("path", PATHS)
async def test_data_never_reaches_a_header(tmp_path: Path, path: str) -> None:
    async with attacked(tmp_path) as client:
        client.world.profiles["ann"] = Profile(
            {"first_name": SPLIT, "secret": SPLIT, "tier": SPLIT}, frozenset({SPLIT})
        )
        client.world.catalogue["A"] = item("A", SPLIT) | {"sku": SPLIT}
        reply = await client.get(path, "ann", x_tessera_edge_secret=EDGE_SECRET, x_geo_country="x\tset-cookie: owned=1")
        assert reply.status_code in (200, 204)
        assert_whole(reply)


async def test_parameters_never_reach_a_header(client: Client) -> None:
    sent = {"q": SPLIT, "turbo_frame": SPLIT, "on_error": SPLIT, "tessera_digest": SPLIT, "tessera_preview": SPLIT}
    for path in (*PATHS, "/fragments/home/echo", "/preview", "/podium/home/name/content"):
        for name in (*sent, SPLIT):
            assert_whole(await client.http.get(path, params={name: SPLIT}))
        assert_whole(await client.http.get(path, params={**sent, "token": SPLIT, "to": "/" + SPLIT}))


async def test_cookies_never_reach_a_header(client: Client) -> None:
    cookie = "; ".join(
        f"{name}=\x85\x0b\x0c owned=1" for name in ("tessera_visitor", "tessera_locale", "tessera_preview")
    )
    for path in PATHS:
        assert_whole(await client.http.get(path, headers={b"cookie": cookie.encode("latin-1")}))


async def test_no_data_forges_a_part_of_a_batch(client: Client) -> None:
    part = "x\r\n--tessera-fragment\r\nstatus: 200\r\nset-cookie: owned=1\r\n\r\nx\r\n--tessera-fragment--\r\n"
    wanted = [{"page": "home", "slot": "echo", "params": {"q": part}}, {"page": "home", "slot": "same"}]
    boundaries = set()
    for stream in (False, True):
        batch = {"fragments": wanted, "as": "multipart", "stream": stream}
        reply = await client.http.post("/fragments", json=batch)
        kind = reply.headers["content-type"]
        message = BytesParser().parsebytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + reply.content)
        _, *parts = message.walk()
        assert sorted(str(each["content-location"]) for each in parts) == [
            "/fragments/home/echo",
            "/fragments/home/same",
        ]
        boundaries.add(kind)
    assert len(boundaries) == 2  # so nobody learns one beforehand


@pytest.mark.parametrize("name", ["same\n", "same\r\nx: y", "", "sa/me", "..", "same\u2028"])
async def test_names_in_a_batch_reach_no_header(client: Client, name: str) -> None:
    wanted = [{"page": "home", "slot": name}]
    reply = await client.http.post("/fragments", json={"fragments": wanted, "as": "multipart"})
    assert reply.status_code in (200, 400)
    assert "x: y" not in reply.text
    assert_whole(reply)
