"""Events: what a page tells of what was seen and sent away, and the facts that it comes to."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tessera.renderer.core.errors import SourceUnavailable
from tests.support.client import NOW, Client, client_of
from tests.support.fakes import World
from tests.support.sites import FACTS, write_site

EVENTS = """
      banner.seen: {type: integer, source: events, event: shown, of: winter, window: 7 days}
      banner.ever: {type: boolean, source: events, event: shown, of: winter}
      banner.closed_at: {type: timestamp, source: events, event: dismissed, of: winter}
    item:
"""
PAGE = """
    page: home
    slots:
      banner:
        default: nothing
        rules:
          - name: Winter
            when: banner.seen < 2 and not (banner.closed_at within 30 days)
            on_unknown: match
            show: {template: banner.liquid}
      plain:
        default: {template: plain.liquid}
      often:
        default: {template: often.liquid}
"""
TEMPLATES = {"banner.liquid": "Winter", "plain.liquid": "Plain", "often.liquid": "{{ banner.seen }}"}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def client(tmp_path: Path, world: World) -> AsyncIterator[Client]:
    facts = FACTS.replace("\n    item:\n", EVENTS)
    folder = write_site(tmp_path, {"facts.yaml": facts, "home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, world) as client:
        yield client


async def report(
    client: Client, visitor: str | None = "ann", event: str = "shown", of: str = "winter", **headers: str
) -> httpx.Response:
    body = {"event": event, "of": of}
    return await client.http.post("/events", json=body, headers=client.headers(visitor, **headers))


async def banner(client: Client, visitor: str | None = "ann") -> str:
    return (await client.get("/fragments/home/banner", visitor)).text


async def test_what_was_shown_often_enough_is_not_shown_again_for_a_while(client: Client) -> None:
    for shown in ("Winter", "Winter", ""):
        assert await banner(client) == shown
        assert (await report(client)).status_code == 201
    assert await banner(client, "bob") == "Winter"
    client.clock.append(NOW + timedelta(days=7))
    assert await banner(client) == "Winter"


async def test_what_was_sent_away_stays_away(client: Client) -> None:
    assert (await report(client, event="dismissed")).status_code == 201
    assert await banner(client) == ""
    client.clock.append(NOW + timedelta(days=30, seconds=1))
    assert await banner(client) == "Winter"


async def test_a_template_may_tell_how_often(client: Client) -> None:
    assert (await client.get("/fragments/home/often", "ann")).text == "0"
    await report(client)
    told = await client.get("/fragments/home/often", "ann")
    assert (told.text, told.headers["cache-control"]) == ("1", "private, no-store")


async def test_events_are_read_only_where_they_are_demanded(client: Client, world: World) -> None:
    await client.get("/fragments/home/plain", "ann")
    await banner(client, None)
    assert world.calls == []
    await banner(client)
    assert world.calls == [("events", "ann")]


@pytest.mark.parametrize("how", ["failing", "hanging"])
async def test_without_the_store_the_facts_are_unknown(client: Client, world: World, how: str) -> None:
    await report(client, event="dismissed")
    if how == "failing":
        world.failing["events"] = SourceUnavailable("events", "disk full")
        answer = await client.get("/fragments/home/banner", "ann")
        assert answer.text == "Winter"
        assert answer.headers["tessera-fallback"] == 'banner=default;cause="events unavailable"'
        assert (await report(client)).status_code == 503
    else:
        world.hanging.add("events")
        async with client_of(client.live.current().folder, world, deadline_ms=1) as hurried:
            assert await banner(hurried) == "Winter"


async def test_only_what_the_site_asks_for_is_kept_and_only_of_visitors_with_an_id(
    client: Client, world: World
) -> None:
    assert (await report(client, of="summer")).status_code == 204
    assert (await report(client, None)).status_code == 204
    assert (await report(client, sec_gpc="1")).status_code == 204
    assert (await report(client, user_agent="Googlebot/2.1")).status_code == 204
    assert world.events == []


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_other_sites_tell_nothing(client: Client, world: World, site: str) -> None:
    assert (await report(client, sec_fetch_site=site)).status_code == 403
    assert (await report(client, sec_fetch_site="same-origin")).status_code == 201
    assert len(world.events) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"event":"shown"}', b'{"event":"seen","of":"winter"}', b"\xff"])
async def test_a_report_of_another_shape_is_refused(client: Client, body: bytes) -> None:
    reply = await client.http.post("/events", content=body, headers=client.headers("ann"))
    assert (reply.status_code, reply.json()) == (400, {"error": "a report is a JSON object with event and of"})


async def test_a_report_that_is_too_long_is_refused(client: Client) -> None:
    reply = await client.http.post("/events", content=b" " * 5000, headers=client.headers("ann"))
    assert reply.status_code == 413
