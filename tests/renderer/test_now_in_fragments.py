"""What a fragment that reads `now` says, to whom, and for how long."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest

from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.core.now import GRANULES
from tessera.renderer.engines.base import Limits
from tessera.renderer.loader import load_site
from tests.support.client import NOW, client_of, settings_for_tests
from tests.support.fakes import World
from tests.support.sites import FACTS, LOCALES, load, write_site

PAGE = """
    page: home
    layouts: [{use: plain}]
    slots:
      clock:
        share: public
        budget: 1
        default: {template: clock.liquid}
      fixed:
        default: {template: fixed.liquid}
"""
TEMPLATES = {
    "clock.liquid": "{{ now.quarter_hour | date: 'HH:mm' }}",
    "fixed.liquid": "fixed",
    "home/layouts/plain.jinja": "{{ slots.clock }}{{ slots.fixed }}",
}


async def test_a_fragment_is_public_and_holds_until_its_granule_ends(tmp_path: Path) -> None:
    async with client_of(write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES), World()) as client:
        told = []
        for moment in ("10:00:00", "10:14:10", "10:14:59.500000", "10:15:00"):
            client.clock.append(datetime.fromisoformat(f"2026-11-23T{moment}+00:00"))
            for path in ("/fragments/home/clock", "/pages/home"):
                reply = await client.get(path)
                told.append((reply.text.removesuffix("fixed"), reply.headers["cache-control"].partition(", stale")[0]))
        expected = [("10:00", "60"), ("10:00", "50"), ("10:00", "0"), ("10:15", "60")]
        assert told == [(text, f"public, max-age={age}") for text, age in expected for _ in range(2)]


async def test_visitors_and_moments_of_a_granule_share_one_entry(tmp_path: Path) -> None:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)
    async with client_of(folder, World()) as client:
        etags = []
        for minutes, visitor in ((0, None), (3, "ann"), (14, "bob"), (15, "ann")):
            client.clock.append(datetime(2026, 11, 23, 10, tzinfo=UTC) + timedelta(minutes=minutes))
            etags.append((await client.get("/fragments/home/clock", visitor)).headers["etag"])
        assert len(set(etags[:3])) == 1
        assert etags[3] != etags[0]


def test_what_does_not_read_now_does_not_change_with_it(tmp_path: Path) -> None:
    page = load(write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES)).pages["home"]
    derived = {name: [fact for fact, _ in slot.default.derived] for name, slot in page.slots.items()}
    assert derived == {"clock": ["now.quarter_hour"], "fixed": []}


async def test_now_is_in_the_zone_of_the_site(tmp_path: Path) -> None:
    site = load_site(write_site(tmp_path, {"home.yaml": PAGE}, TEMPLATES), LOCALES, Limits(), ZoneInfo("Asia/Kolkata"))
    assert site.site is not None
    plan = site.site.pages["home"].slots["clock"].default
    assert [fact.unit for fact in plan.inputs.facts] == ["Asia/Kolkata"]


@pytest.mark.parametrize("use", ["{{ now | date: 'long' }}", "{% if now %}x{% endif %}", "{{ now[locale] }}"])
def test_now_alone_is_an_error_that_says_what_to_write(tmp_path: Path, use: str) -> None:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, {**TEMPLATES, "clock.liquid": use})
    found = [each for each in load_site(folder, LOCALES, Limits()).diagnostics if each.severity == "error"]
    assert [(each.code, each.message, each.help) for each in found] == [
        (
            "S105",
            "`now` does not say how finely",
            "write `now.minute`, `now.quarter_hour`, `now.hour` or `now.day`: whatever you write is part of the key",
        )
    ]


def test_other_granules_are_unknown_names(tmp_path: Path) -> None:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, {**TEMPLATES, "clock.liquid": "{{ now.hours }}"})
    (found,) = load_site(folder, LOCALES, Limits()).diagnostics
    assert (found.code, found.help) == ("S102", "did you mean `now.hour`?")


def test_no_fact_may_be_called_now(tmp_path: Path) -> None:
    facts = FACTS.replace("visitor.unread:", "now.unread:")
    folder = write_site(tmp_path, {"home.yaml": PAGE, "facts.yaml": facts}, TEMPLATES)
    found = [each for each in load_site(folder, LOCALES, Limits()).diagnostics if each.severity == "error"]
    assert [each.message for each in found] == ["names that begin with `now` are taken"]


async def test_whatever_the_moment_cached_answers_are_those_of_no_cache_for_as_long_as_they_say(tmp_path: Path) -> None:
    slots = "".join(f"\n      {name}: {{default: {{template: {name}.jinja}}}}" for name in GRANULES)
    page = f"page: home\nslots:{slots}"
    templates = {f"{name}.jinja": f"{{{{ now.{name} }}}}|{{{{ now.{name} | date('full') }}}}" for name in GRANULES}
    folder = write_site(tmp_path, {"home.yaml": dedent(page)}, templates)
    random = Random(4)
    moments = [NOW + timedelta(seconds=random.random() * 200_000) for _ in range(10)]
    settings = settings_for_tests(http={"max_age_s": 100_000})
    async with (
        client_of(folder, World(), settings=settings) as cached,
        client_of(folder, World(), settings=settings, cache=MemoryCache(0)) as fresh,
    ):
        for moment in moments + moments:
            for name in GRANULES:
                path = f"/fragments/home/{name}"
                cached.clock.append(moment)
                fresh.clock.append(moment)
                reply = await cached.get(path)
                assert reply.content == (await fresh.get(path)).content
                lifetime_s = int(reply.headers["cache-control"].removeprefix("public, max-age="))
                fresh.clock.append(moment + timedelta(seconds=lifetime_s) - timedelta(microseconds=lifetime_s > 0))
                assert reply.content == (await fresh.get(path)).content
