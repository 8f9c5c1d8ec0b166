"""What is counted: told to Prometheus, documented, and bounded whatever visitors send."""

import os
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tessera.renderer.core.errors import SourceTimeout
from tessera.renderer.core.ports import Profile
from tessera.renderer.tally import FAMILIES, IN_FLIGHT, SHED, Tally
from tessera.renderer.tally_files import counts, open_tally
from tests.support.client import Client, client_of, settings_for_tests
from tests.support.fakes import World, item
from tests.support.sites import write_site

OPERATING = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
TOKEN = "a token for operators only"
BEARER = {"authorization": f"Bearer {TOKEN}"}
RULES = {
    "home.yaml": """
    page: home
    slots:
      hero:
        default: {template: hero.liquid}
        rules: [{name: Gold, when: visitor.tier == "gold", show: {template: gold.liquid}}]
      rail: {default: {template: rail.liquid, items: popular}}
    layouts: [{use: whole}]
    """
}
TEMPLATES = {
    "hero.liquid": "<p>Hello</p>",
    "gold.liquid": "<p>Gold {{ visitor.first_name }}</p>",
    "rail.liquid": "{% for item in items %}{{ item.title }}{% endfor %}",
    "home/layouts/whole.liquid": "<main>{{ slots.hero }}{{ slots.rail }}</main>",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site", RULES, TEMPLATES)


def world() -> World:
    return World(
        profiles={"ann": Profile({"tier": "gold", "first_name": "Ann"})},
        lists={"popular": ["A"]},
        catalogue={"A": item("A")},
    )


async def told(client: Client) -> dict[str, float]:
    """What is told that is not 0."""
    reply = await client.http.get("/-/metrics", headers=BEARER)
    assert reply.status_code == 200, reply.text
    return {
        sample.name + "".join(f" {value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
        if sample.value and not sample.name.endswith(("_created", "_bucket", "_sum"))
    }


async def test_everything_that_happens_is_counted(site: Path, tmp_path: Path) -> None:
    settings = settings_for_tests(server={"state_dir": tmp_path}, admin_token=TOKEN)
    tally = open_tally(tmp_path)
    upstream = world()
    async with client_of(site, upstream, settings=settings, tally=tally) as client:
        for _ in range(3):
            assert (await client.get("/fragments/home/hero", "ann")).status_code == 200
        upstream.failing["items"] = SourceTimeout("items", "no answer")
        assert "tessera-fallback" in (await client.get("/fragments/home/rail")).headers
        await client.get("/fragments/home/nothing")
        await client.get("/nothing/at/all")
        await client.http.post("/fragments", json={"fragments": [{"page": "home", "slot": "hero"}]})
        seen = await told(client)
    assert seen.pop("tessera_workers") == 1
    assert seen == {
        "tessera_requests_total fragments 200": 4,
        "tessera_requests_total fragments 404": 1,
        "tessera_requests_total other 404": 1,
        "tessera_requests_total batch 200": 1,
        "tessera_cache_total memory": 2,
        "tessera_cache_total miss": 2,
        "tessera_decisions_total TARGETING_MATCH": 3,
        "tessera_decisions_total DEFAULT": 1,
        "tessera_fallbacks_total empty": 1,
        "tessera_adapter_calls_total ok profile": 1,
        "tessera_adapter_calls_total timeout items": 2,
        "tessera_adapter_call_seconds_count profile": 1,
        "tessera_adapter_call_seconds_count items": 2,
    }


LONG = {"x_tessera_cart": "no cart that the shop has signed"}
"""A header that changes nothing but the way that is gone."""


@pytest.mark.parametrize(
    ("headers", "stages"),
    [({}, {"understand", "at_hand"}), (LONG, {"understand", "gather", "decide", "cache"})],
    ids=["what is at hand", "what is waited for"],
)
async def test_a_sample_of_requests_is_timed_stage_by_stage(
    site: Path, tmp_path: Path, headers: dict[str, str], stages: set[str]
) -> None:
    settings = settings_for_tests(server={"state_dir": tmp_path}, admin_token=TOKEN)
    async with client_of(site, world(), settings=settings, tally=open_tally(tmp_path)) as client:
        for _ in range(130):
            reply = await client.get("/fragments/home/hero", "ann", **headers)
            assert "server-timing" not in reply.headers
        seen = await told(client)
    assert seen["tessera_requests_total fragments 200"] == 130
    assert seen["tessera_decisions_total TARGETING_MATCH"] == 130
    assert (seen["tessera_cache_total memory"], seen["tessera_cache_total miss"]) == (129, 1)
    assert seen["tessera_request_seconds_count fragments"] == 2
    for stage in stages:
        assert seen[f"tessera_stage_seconds_count {stage}"] == 2
    assert seen["tessera_input_age_seconds_count profile"] == 2


async def test_stages_and_where_it_was_found_are_told_with_each_answer_where_that_is_wanted(site: Path) -> None:
    settings = settings_for_tests(telemetry={"server_timing": True})
    async with client_of(site, world(), settings=settings) as client:
        seen = [(await client.get("/fragments/home/hero", "ann")).headers for _ in range(3)]
    assert [each["cache-status"] for each in seen] == ["tessera; fwd=miss; detail=new", *["tessera; hit"] * 2]
    stages = [re.findall(r"(\w+);dur=\d+\.\d{3}", each["server-timing"]) for each in seen]
    assert stages[0] == ["understand", "gather", "decide", "cache", "render", "total"]
    assert stages[2] == ["understand", "at_hand", "total"]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_metric_is_documented_with_its_labels(family: object) -> None:
    assert isinstance(family, type(FAMILIES[0]))
    suffix = "_total" if family.kind == "counter" else ""
    (row,) = re.findall(rf"^\| `tessera_{family.name}{suffix}` \|(.*)\|(.*)\|$", OPERATING, re.MULTILINE)
    assert row[0].strip() == ", ".join(f"`{label}`" for label in family.labels)
    assert row[1].strip() == family.help.removesuffix(".")


def test_a_new_process_counts_on_where_one_ended_and_the_living_count_apart(tmp_path: Path) -> None:
    first, second = open_tally(tmp_path), open_tally(tmp_path)
    first.add(SHED, 2)
    second.add(SHED, 3)
    second.add(IN_FLIGHT)
    assert counts(tmp_path)[0][SHED] == 0
    first.tell()
    second.tell()
    assert (counts(tmp_path)[0][SHED], counts(tmp_path)[0][IN_FLIGHT], counts(tmp_path)[1]) == (5, 1, 2)
    del second
    assert (counts(tmp_path)[0][SHED], counts(tmp_path)[0][IN_FLIGHT], counts(tmp_path)[1]) == (5, 0, 1)
    third = open_tally(tmp_path)
    third.add(SHED)
    third.tell()
    assert (counts(tmp_path)[0][SHED], counts(tmp_path)[1]) == (6, 2)
    assert len(os.listdir(tmp_path / "tallies")) == 2


def test_counts_of_another_version_are_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "tallies").mkdir()
    (tmp_path / "tallies" / "0").write_bytes(b"other" * 1000)
    assert not any(counts(tmp_path)[0])
    tally = open_tally(tmp_path)
    tally.add(SHED)
    tally.tell()
    assert counts(tmp_path)[0][SHED] == 1


async def test_a_private_tally_has_no_file(site: Path) -> None:
    async with client_of(site, world()) as client:
        await client.get("/fragments/home/hero")
        assert isinstance(client.tally, Tally)
        assert sum(client.tally.cells) > 0


PATHS = [
    "/-/metrics",
    "/de/-/metrics",
    "//-/metrics",
    "/fragments/-/metrics",
    "/fragments/../-/metrics",
    "/fragments/%2e%2e/-/metrics",
    "/pages/-/metrics",
    "/%2d/metrics",
    "/-//metrics",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [None, TOKEN])
async def test_administrative_routes_are_nobodys_without_the_token(site: Path, path: str, token: str | None) -> None:
    async with client_of(site, world(), settings=settings_for_tests(admin_token=token)) as client:
        for headers in ({}, {"authorization": "Bearer "}, {"authorization": "Bearer wrong"}, {"host": "localhost:1"}):
            reply = await client.http.get(path, headers=headers)
            assert reply.status_code in ({401, 404} if token else {404})
            assert "tessera_" not in reply.text


@pytest.mark.parametrize(("port", "status"), [(1234, 404), (8080, 200)])
async def test_with_a_port_of_their_own_they_are_answered_on_that_alone(
    site: Path, tmp_path: Path, port: int, status: int
) -> None:
    settings = settings_for_tests(admin={"port": port}, server={"state_dir": tmp_path})
    async with client_of(site, world(), settings=settings, tally=open_tally(tmp_path)) as client:
        for host in ("test", "test:1234"):
            client.http.headers["host"] = host
            assert (await client.http.get("http://test:8080/-/metrics")).status_code == status
