"""Exposures: told by the page, recorded once for each visitor, experiment and version, and only if they are true."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tessera.renderer.core.errors import SourceUnavailable
from tests.support.client import Client, client_of, settings_for_tests
from tests.support.fakes import World
from tests.support.sites import write_site

PAGE = """
    page: home
    slots:
      hero:
        default: {template: hero.liquid, cta: plain}
        rules:
          - name: Colours
            split:
              experiment: colours
              arms: {red: {cta: plain}, blue: {cta: look}}
"""
MARKER = re.compile(
    r'<template data-tessera-experiment="(\w+)" data-tessera-arm="(\w+)" data-tessera-version="(\d+)"></template>$'
)
OTHER = {"red": "blue", "blue": "red"}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def client(tmp_path: Path, world: World) -> AsyncIterator[Client]:
    folder = write_site(tmp_path, {"home.yaml": PAGE}, {"hero.liquid": "{{ cta.text }}"})
    async with client_of(folder, world) as client:
        yield client


async def arm_of(client: Client, visitor: str) -> str:
    found = MARKER.search((await client.get("/fragments/home/hero", visitor)).text)
    assert found
    assert (found[1], found[3]) == ("colours", "1")
    return found[2]


async def report(
    client: Client, visitor: str | None, arm: str, *, experiment: str = "colours", version: object = "1", **headers: str
) -> httpx.Response:
    body = {"experiment": experiment, "arm": arm, "version": version}
    return await client.http.post("/exposures", json=body, headers=client.headers(visitor, **headers))


async def test_a_fragment_under_a_split_names_its_arm_and_half_are_on_each(client: Client) -> None:
    arms = [await arm_of(client, f"v{n}") for n in range(200)]
    assert 70 < arms.count("red") < 130
    assert arms[:20] == [await arm_of(client, f"v{n}") for n in range(20)]


async def test_strangers_are_in_no_experiment(client: Client) -> None:
    assert (await client.get("/fragments/home/hero")).text == "Go"


async def test_rendering_records_nothing(client: Client, world: World) -> None:
    await arm_of(client, "ann")
    assert world.exposures == {}


async def test_what_the_page_tells_is_recorded_once(client: Client, world: World) -> None:
    arm = await arm_of(client, "ann")
    assert [(await report(client, "ann", arm)).status_code for _ in range(3)] == [201, 200, 200]
    assert [(key, kept.arm) for key, kept in world.exposures.items()] == [(("ann", "colours", "1"), arm)]


@pytest.mark.parametrize("version", ["2", "0", "one"])
async def test_another_version_does_not_count(client: Client, world: World, version: str) -> None:
    assert (await report(client, "ann", await arm_of(client, "ann"), version=version)).status_code == 204
    assert world.exposures == {}


async def test_an_arm_that_the_visitor_is_not_on_does_not_count(client: Client, world: World) -> None:
    assert (await report(client, "ann", OTHER[await arm_of(client, "ann")])).status_code == 204
    assert (await report(client, "ann", "green")).status_code == 204
    assert (await report(client, "ann", "red", experiment="shapes")).status_code == 204
    assert world.exposures == {}


async def test_strangers_refusers_and_crawlers_do_not_count(client: Client, world: World) -> None:
    arm = await arm_of(client, "ann")
    assert (await report(client, None, arm)).status_code == 204
    assert (await report(client, "ann", arm, sec_gpc="1")).status_code == 204
    assert (await report(client, "ann", arm, user_agent="Googlebot/2.1")).status_code == 204
    assert world.exposures == {}


async def test_who_is_held_out_is_shown_no_arm_and_does_not_count(tmp_path: Path, world: World) -> None:
    experiments = "experiments: {colours: {arms: {red: 50, blue: 50}}}\nholdouts: {all: {share: 100}}\n"
    rules = {"home.yaml": PAGE, "experiments.yaml": experiments}
    async with client_of(write_site(tmp_path, rules, {"hero.liquid": "{{ cta.text }}"}), world) as client:
        assert (await client.get("/fragments/home/hero", "ann")).text == "Go"
        assert [(await report(client, "ann", arm)).status_code for arm in OTHER] == [204, 204]
    assert world.exposures == {}


STICKY = "experiments: {colours: {arms: {red: %d, blue: %d}, version: %d, sticky: true}}\n"


async def test_a_sticky_experiment_shows_what_was_shown_first_until_its_next_version(
    tmp_path: Path, world: World
) -> None:
    def site(red: int, version: int) -> Path:
        rules = {"home.yaml": PAGE, "experiments.yaml": STICKY % (red, 100 - red, version)}
        return write_site(tmp_path / f"{red}-{version}", rules, {"hero.liquid": "{{ cta.text }}"})

    async with client_of(site(100, 1), world) as client:
        assert (await client.get("/fragments/home/hero", "ann")).text.startswith("Go<")
        assert (await report(client, "ann", "red")).status_code == 201
    async with client_of(site(0, 1), world) as client:
        assert await arm_of(client, "ann") == "red"
        assert await arm_of(client, "bob") == "blue"
        world.failing["assignments"] = SourceUnavailable("assignments", "disk full")
        answer = await client.get("/fragments/home/hero", "ann")
        assert answer.text.startswith("Look<")
        assert answer.headers["tessera-fallback"] == 'hero=default;cause="assignments unavailable"'
        world.failing.clear()
    async with client_of(site(0, 2), world) as client:
        assert 'data-tessera-arm="blue"' in (await client.get("/fragments/home/hero", "ann")).text


async def test_assignments_are_read_for_sticky_experiments_only(client: Client, world: World) -> None:
    await arm_of(client, "ann")
    assert world.calls == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"experiment": "colours"}', b'{"experiment":1,"arm":"a","version":"1"}', b"\xff"],
)
async def test_a_report_of_another_shape_is_refused(client: Client, body: bytes) -> None:
    reply = await client.http.post("/exposures", content=body, headers=client.headers("ann"))
    assert reply.status_code == 400
    assert reply.json() == {"error": "a report is a JSON object with experiment, arm and version"}


async def test_a_report_that_is_too_long_is_refused(client: Client) -> None:
    reply = await client.http.post("/exposures", content=b" " * 5000, headers=client.headers("ann"))
    assert reply.status_code == 413


async def test_a_report_that_cannot_be_stored_is_not_acknowledged(client: Client, world: World) -> None:
    world.failing["exposures"] = SourceUnavailable("exposures", "disk full")
    reply = await report(client, "ann", await arm_of(client, "ann"))
    assert (reply.status_code, reply.json()) == (503, {"error": "the report could not be stored; send it again later"})


async def test_a_forced_arm_is_shown_in_development_only_and_is_not_marked(tmp_path: Path, client: Client) -> None:
    forced = [(await client.get(f"/fragments/home/hero?force=colours.{arm}")).text for arm in OTHER]
    assert forced == ["Go", "Go"]
    development = settings_for_tests(server={"mode": "development"})
    async with client_of(client.live.current().folder, World(), settings=development) as developer:
        forced = [(await developer.get(f"/fragments/home/hero?force=colours.{arm}", "ann")).text for arm in OTHER]
    assert forced == ["Go", "Look"]
