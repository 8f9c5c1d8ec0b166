"""Recording: only what a slot's rules demand, no ids, and never in the way of an answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from tessera.renderer.core.ports import Profile
from tessera.renderer.recording import FILE, MAX_WAITING, Recorder
from tessera.rules.situations import explain_in, read_situation
from tests.support.client import NOW, client_of
from tests.support.fakes import World
from tests.support.sites import load, write_site

PAGE = """
    page: home
    slots:
      hero:
        default: {template: hero.liquid}
        rules:
          - {name: Gold, when: visitor.tier == "gold", show: {template: gold.liquid}}
          - {name: Colours, split: {experiment: colours, arms: {red: {cta: plain}, blue: {cta: look}}}}
      plain:
        default: {template: hero.liquid}
"""
TEMPLATES = {"hero.liquid": "{{ visitor.first_name }}{{ cta.text }}", "gold.liquid": "gold"}
SECRET = "a secret for tests only"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site", {"home.yaml": PAGE}, TEMPLATES)


def recorder(folder: Path, *, share: float = 1.0, max_bytes: int = 1_000_000, files: int = 2) -> Recorder:
    return Recorder(folder, SECRET, share=share, max_bytes=max_bytes, files=files)


def recorded(folder: Path) -> list[dict[str, Any]]:
    file = folder / FILE
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


async def test_only_demanded_facts_are_recorded_and_no_id(site: Path, tmp_path: Path) -> None:
    world = World(profiles={"ann": Profile({"tier": "silver", "first_name": "Ann"})})
    recording = recorder(tmp_path)
    async with client_of(site, world, recorder=recording) as client:
        shown = [(await client.get("/fragments/home/hero", visitor)).text for visitor in ("ann", "bob", "ann")]
    recording.close()
    ann, bob, again = recorded(tmp_path)
    assert ann["facts"].keys() == {"visitor.id", "visitor.tier"}
    assert ann["facts"]["visitor.tier"] == "silver"
    assert ann == again
    assert ann["facts"]["visitor.id"] not in ("ann", bob["facts"]["visitor.id"])
    assert (ann["page"], ann["slot"], ann["version"]) == ("home", "hero", load(site).ruleset.version)
    assert "Ann" not in (tmp_path / FILE).read_text("utf-8")
    for told, html in zip((ann, bob), shown, strict=False):
        decision = explain_in(load(site).ruleset, read_situation(json.dumps(told))).decision
        assert decision.assignment
        assert f'data-tessera-arm="{decision.assignment.arm}"' in html


async def test_a_share_is_recorded(site: Path, tmp_path: Path) -> None:
    draws = iter([0.1, 0.6, 0.3, 0.5])
    recording = Recorder(tmp_path, SECRET, share=0.5, max_bytes=1_000_000, files=2, draw=lambda: next(draws))
    async with client_of(site, World(), recorder=recording) as client:
        for visitor in "abcd":
            await client.get("/fragments/home/hero", visitor)
    recording.close()
    assert len(recorded(tmp_path)) == 2


async def test_files_are_rotated(site: Path, tmp_path: Path) -> None:
    recording = recorder(tmp_path, max_bytes=1000, files=3)
    async with client_of(site, World(), recorder=recording) as client:
        for number in range(30):
            await client.get("/fragments/home/plain", f"v{number}")
    recording.close()
    files = sorted(tmp_path.glob(f"{FILE}*"))
    assert [file.name for file in files] == [FILE, f"{FILE}.1", f"{FILE}.2"]
    assert all(file.stat().st_size <= 1000 for file in files)


async def test_what_cannot_be_written_is_counted_and_the_answer_stays(site: Path, tmp_path: Path) -> None:
    recording = recorder(tmp_path)
    (tmp_path / FILE).mkdir()
    async with client_of(site, World(), recorder=recording) as client:
        assert (await client.get("/fragments/home/hero", "ann")).status_code == 200
    recording.close()
    assert recording.dropped == 1


def test_what_the_writer_cannot_keep_up_with_is_dropped(site: Path, tmp_path: Path) -> None:
    recording = recorder(tmp_path)
    plan = load(site).pages["home"].slots["plain"]
    recording.close()  # nobody writes any more
    for _ in range(MAX_WAITING + 5):
        recording.note(plan, {}, {}, NOW)
    assert recording.dropped == 5


async def test_of_several_processes_with_one_folder_one_at_a_time_records(site: Path, tmp_path: Path) -> None:
    first, second = recorder(tmp_path), recorder(tmp_path)
    for recording in (second, first):
        async with client_of(site, World(), recorder=recording) as client:
            await client.get("/fragments/home/hero", "ann")
    second.close()
    first.close()
    assert len(recorded(tmp_path)) == 1
    third = recorder(tmp_path)
    async with client_of(site, World(), recorder=third) as client:
        await client.get("/fragments/home/hero", "ann")
    third.close()
    assert len(recorded(tmp_path)) == 2
