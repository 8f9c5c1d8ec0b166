"""Previews: a token shows its holder another arm or moment, uncached and uncounted; anything else shows nothing new."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.previews import Preview, Previews
from tests.support.client import NOW, SECRET, Client, client_of
from tests.support.fakes import World
from tests.support.sites import write_site

PAGE = """
    page: home
    slots:
      hero:
        default: {template: hero.liquid, cta: plain}
        rules:
          - name: December
            during: {from: 2026-12-01, until: 2027-01-01}
            show: {template: december.liquid}
          - name: Colours
            split:
              experiment: colours
              arms: {red: {cta: plain}, blue: {cta: look}}
"""
HERO = "/fragments/home/hero"
PREVIEWS = Previews(SECRET, lambda version: None)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, {"hero.liquid": "{{ cta.text }}", "december.liquid": "Snow"})
    async with client_of(folder, World()) as client:
        yield client


def token(preview: Preview, minutes: float = 5) -> str:
    return PREVIEWS.sign(preview, NOW + timedelta(minutes=minutes))


async def test_an_arm_is_shown_to_whoever_holds_a_token_and_is_not_marked(client: Client) -> None:
    shown = [
        (await client.get(f"{HERO}?tessera_preview={token(Preview(arm=f'colours.{arm}'))}", "ann")).text
        for arm in ("red", "blue")
    ]
    assert shown == ["Go", "Look"]


async def test_a_moment_is_shown_as_it_will_be(client: Client) -> None:
    christmas = Preview(at=datetime(2026, 12, 24, tzinfo=UTC))
    assert (await client.get(f"{HERO}?tessera_preview={token(christmas)}")).text == "Snow"


async def test_what_a_preview_shows_is_neither_cached_nor_stored_downstream(tmp_path: Path) -> None:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, {"hero.liquid": "x", "december.liquid": "Snow"})
    cache = MemoryCache(10_000)
    async with client_of(folder, World(), cache=cache) as client:
        reply = await client.get(f"{HERO}?tessera_preview={token(Preview(arm='colours.red'))}", "ann")
    assert reply.headers["cache-control"] == "private, no-store"
    assert len(cache) == 0


async def test_a_cookie_carries_a_token_from_page_to_page(client: Client) -> None:
    good = token(Preview(arm="colours.blue"))
    set_it = await client.http.get(f"/preview?token={good}&to=/pages/home")
    assert (set_it.status_code, set_it.headers["location"]) == (303, "/pages/home")
    assert "HttpOnly" in set_it.headers["set-cookie"]
    reply = await client.http.get(HERO, headers={"cookie": f"tessera_preview={good}"})
    assert reply.text == "Look"
    gone = await client.http.get("/preview")
    assert 'tessera_preview=""' in gone.headers["set-cookie"]


@pytest.mark.parametrize("page", ["//evil.example", "/\\evil.example", "https://evil.example", "evil"])
async def test_the_cookie_leads_nowhere_else(client: Client, page: str) -> None:
    reply = await client.http.get("/preview", params={"token": token(Preview()), "to": page})
    assert reply.status_code == 400


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (token(Preview(arm="colours.blue"), -1), "expired"),
        ("nonsense", "invalid"),
        ("", "invalid"),
        (Previews("another secret", lambda version: None).sign(Preview(), NOW + timedelta(days=1)), "invalid"),
        (token(Preview(version="0123")), "gone"),
    ],
)
async def test_a_token_that_is_no_good_shows_what_everybody_sees(client: Client, sent: str, why: str) -> None:
    plain = await client.get(HERO, "ann")
    reply = await client.get(f"{HERO}?tessera_preview={sent}", "ann")
    assert (reply.status_code, reply.text) == (200, plain.text)
    assert reply.headers["tessera-preview"] == why


async def test_why_is_told_only_to_whoever_may_ask(client: Client) -> None:
    may = token(Preview(explain=True))
    told = await client.get(f"{HERO}?explain&tessera_preview={may}", "ann")
    assert told.headers["content-type"] == "text/plain; charset=utf-8"
    assert "unmatched: December" in told.text
    told = await client.get(f"{HERO}?explain&tessera_preview={may}", "ann", accept="application/json")
    assert told.json()["slot"] == "hero"
    for query in ("explain", f"explain&tessera_preview={token(Preview())}"):
        assert "December" not in (await client.get(f"{HERO}?{query}", "ann")).text


@given(st.text(max_size=200))
def test_no_text_is_an_error(text: str) -> None:
    assert PREVIEWS.read(text, NOW) == "invalid"
