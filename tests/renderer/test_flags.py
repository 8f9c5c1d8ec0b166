"""Flags: what a service decides elsewhere, as facts of rules and templates."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.ports import FlagQuery, Profile
from tessera.renderer.engines.base import Limits
from tessera.renderer.loader import load_site
from tests.support.client import Client, client_of
from tests.support.fakes import World
from tests.support.sites import FACTS, LOCALES, load, write_site

FLAGS = """
      flag.checkout: {type: boolean, source: flags, key: new-checkout, attributes: {id: visitor.id}}
      flag.copy:
        type: enumeration
        one_of: [control, urgency]
        source: flags
        attributes: {id: visitor.id, tier: visitor.tier, land: geo.country, worth: cart.value}
      flag.words: {type: string, source: flags}
      flag.gone: {type: boolean, source: flags, default: false}
    item:
"""
PAGE = """
    page: home
    slots:
      checkout:
        default: {template: old.liquid}
        rules:
          - name: New
            when: flag.checkout
            show: {template: new.liquid}
      copy:
        default: {template: copy.liquid}
      words:
        default: {template: words.liquid}
      gone:
        default: {template: old.liquid}
        rules:
          - name: Gone
            when: not flag.gone
            show: {template: new.liquid}
      plain:
        default: {template: old.liquid}
"""
TEMPLATES = {
    "old.liquid": "old",
    "new.liquid": "new",
    "copy.liquid": "{{ flag.copy }}",
    "words.liquid": "{{ flag.words }}",
}


@pytest.fixture
def world() -> World:
    world = World(profiles={"ann": Profile({"tier": "gold", "first_name": "Ann"})})
    world.flags = {
        "new-checkout": lambda told: told.get("id") == "ann",
        "copy": lambda told: "urgency" if told.get("tier") == "gold" else "control",
        "words": lambda told: "<b>",
    }
    return world


@pytest.fixture
async def client(tmp_path: Path, world: World) -> AsyncIterator[Client]:
    facts = FACTS.replace("\n    item:\n", FLAGS)
    async with client_of(write_site(tmp_path, {"facts.yaml": facts, "home.yaml": PAGE}, TEMPLATES), world) as client:
        yield client


async def shown(client: Client, slot: str, visitor: str | None = "ann") -> str:
    return (await client.get(f"/fragments/home/{slot}", visitor)).text


def told(world: World) -> list[Mapping[str, object]]:
    """What the service was told, at each call."""
    return [dict(query.attributes) for source, query in world.calls if isinstance(query, FlagQuery)]


async def test_a_flag_decides_for_each_visitor(client: Client) -> None:
    assert [await shown(client, "checkout", who) for who in ("ann", "bob", None, "ann")] == ["new", "old", "old", "new"]


async def test_a_template_may_show_a_flag_and_escapes_it(client: Client) -> None:
    assert await shown(client, "copy") == "urgency"
    assert await shown(client, "copy", "bob") == "control"
    assert await shown(client, "words") == "&lt;b&gt;"


async def test_only_the_declared_attributes_are_told_and_only_what_is_known_of_them(
    client: Client, world: World
) -> None:
    await shown(client, "copy")
    await shown(client, "copy", None)
    await shown(client, "words")
    assert told(world) == [{"id": "ann", "tier": "gold"}, {}, {}]


async def test_what_a_flag_needs_is_fetched_and_nothing_else(client: Client, world: World) -> None:
    await shown(client, "plain")
    assert world.calls == []
    await shown(client, "checkout")
    assert [source for source, _ in world.calls] == ["flags"]
    world.calls.clear()
    await shown(client, "copy")
    assert [source for source, _ in world.calls] == ["profile", "cart", "flags"]


async def test_an_answer_is_remembered_for_each_visitor(client: Client, world: World) -> None:
    for who in ("ann", "bob", "ann", "bob"):
        await shown(client, "checkout", who)
    assert told(world) == [{"id": "ann"}, {"id": "bob"}]


async def test_a_flag_that_the_service_does_not_know_is_unknown_or_has_its_default(
    client: Client, world: World
) -> None:
    assert await shown(client, "gone") == "new"
    del world.flags["new-checkout"]
    assert await shown(client, "checkout") == "old"


async def test_a_value_that_does_not_fit_is_unknown(client: Client, world: World) -> None:
    world.flags["copy"] = lambda told: "shout"
    world.flags["new-checkout"] = lambda told: "perhaps"
    assert (await shown(client, "copy"), await shown(client, "checkout")) == ("", "old")


async def test_a_service_that_fails_leaves_the_default_and_says_so(client: Client, world: World) -> None:
    world.failing["flags"] = SourceUnavailable("flags", "away")
    answer = await client.get("/fragments/home/checkout", "ann")
    assert (answer.status_code, answer.text) == (200, "old")
    assert answer.headers["tessera-fallback"] == 'checkout=default;cause="flags unavailable"'


async def test_a_slot_that_reads_a_flag_is_shared_as_the_flag_is(client: Client) -> None:
    site = client.live.current()
    scopes = {name: slot.scope for name, slot in site.pages["home"].slots.items()}
    assert scopes == {
        "checkout": "context",
        "copy": "context",
        "words": "private",
        "gone": "context",
        "plain": "public",
    }
    assert (await client.get("/fragments/home/checkout", "ann")).headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("declaration", "complaint"),
    [
        ("{type: boolean, source: flags, attributes: {id: visitor.idd}}", "unknown fact `visitor.idd`"),
        (
            "{type: boolean, source: flags, attributes: {id: flag.gone}}",
            "`flag.gone` comes from flags; a flag service is told what comes from request or profile or cart",
        ),
        ("{type: boolean, source: profile, key: x}", "`key` goes with source flags, not profile"),
    ],
)
def test_what_cannot_be_told_is_complained_of(tmp_path: Path, declaration: str, complaint: str) -> None:
    facts = FACTS.replace("\n    item:\n", FLAGS.replace("    item:", f"      flag.odd: {declaration}\n    item:"))
    with pytest.raises(AssertionError) as refused:
        load(write_site(tmp_path, {"facts.yaml": facts, "home.yaml": PAGE}, TEMPLATES))
    assert complaint in str(refused.value)


ELSEWHERE = "experiments: {copy: {arms: {control: 50, urgency: 50}, decided_by: flag.copy}}\n"
SPLIT = """
    page: home
    slots:
      hero:
        default: {template: old.liquid}
        rules:
          - name: Copy
            split: {experiment: copy, arms: {control: {template: old.liquid}, urgency: {template: new.liquid}}}
"""


@pytest.fixture
async def split(tmp_path: Path, world: World) -> AsyncIterator[Client]:
    facts = FACTS.replace("\n    item:\n", FLAGS)
    rules = {"facts.yaml": facts, "home.yaml": SPLIT, "experiments.yaml": ELSEWHERE}
    async with client_of(write_site(tmp_path, rules, TEMPLATES), world) as client:
        yield client


def marked(text: str, arm: str) -> str:
    marker = f'data-tessera-experiment="copy" data-tessera-arm="{arm}" data-tessera-version="1"'
    return f"{text}<template {marker}></template>"


async def test_an_experiment_that_is_decided_elsewhere_shows_that_arm_and_reports_it(
    split: Client, world: World
) -> None:
    assert await shown(split, "hero") == marked("new", "urgency")
    assert await shown(split, "hero", "bob") == marked("old", "control")
    body = {"experiment": "copy", "arm": "urgency", "version": "1"}
    assert (await split.http.post("/exposures", json=body, headers=split.headers("ann"))).status_code == 201
    assert [(key, kept.arm) for key, kept in world.exposures.items()] == [(("ann", "copy", "1"), "urgency")]
    assert ("assignments", "ann") not in world.calls


async def test_nobody_is_in_it_of_whom_the_service_says_nothing(split: Client, world: World) -> None:
    world.flags.clear()
    assert await shown(split, "hero") == "old"
    assert split.live.current().pages["home"].slots["hero"].scope == "context"


def test_what_only_a_flag_or_an_experiment_names_is_used(tmp_path: Path) -> None:
    rules = {
        "facts.yaml": FACTS.replace("\n    item:\n", FLAGS),
        "home.yaml": SPLIT,
        "experiments.yaml": ELSEWHERE,
    }
    complaints = load_site(write_site(tmp_path, rules, TEMPLATES), LOCALES, Limits()).diagnostics
    assert [each.message for each in complaints if "flag.copy" in each.message or "tier" in each.message] == []


@pytest.mark.parametrize(
    ("experiment", "complaint"),
    [
        ("decided_by: flag.copy, seed: x", "`seed` does not go with `decided_by`: nobody is hashed"),
        ("decided_by: flag.checkout", "`flag.checkout` is a boolean, not"),
        ("decided_by: visitor.tier", "`visitor.tier` is never `control`, which is an arm"),
        ("decided_by: flag.nothing", "unknown fact `flag.nothing`"),
    ],
)
def test_an_experiment_that_is_decided_elsewhere_is_checked(tmp_path: Path, experiment: str, complaint: str) -> None:
    rules = {
        "facts.yaml": FACTS.replace("\n    item:\n", FLAGS),
        "home.yaml": SPLIT,
        "experiments.yaml": f"experiments: {{copy: {{arms: {{control: 50, urgency: 50}}, {experiment}}}}}\n",
    }
    with pytest.raises(AssertionError) as refused:
        load(write_site(tmp_path, rules, TEMPLATES))
    assert complaint in str(refused.value)
