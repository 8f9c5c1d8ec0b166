"""Profiles of several sources: each behind its own deadline and memory, and merged to one that is at hand."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from tessera.app import assemble
from tessera.cli.store import prepare_store
from tessera.renderer.core.context import Context
from tessera.renderer.core.device import Device
from tessera.renderer.core.errors import SourceError, SourceUnavailable
from tessera.renderer.core.freshness import Lifetime
from tessera.renderer.core.ports import Profile, Profiles
from tessera.renderer.core.visitor import Visitor
from tessera.renderer.explain import explain
from tessera.renderer.gather import Asked, Gatherer
from tessera.renderer.pipeline import Pipeline
from tessera.renderer.profiles import ProfileSource
from tessera.renderer.remembered import Terms
from tessera.renderer.settings import load_settings
from tests.support.client import NOW, Client, client_of
from tests.support.fakes import World
from tests.support.sites import load, write_site

PAGE = """
    page: home
    slots:
      hero: {default: {template: hello.liquid}}
"""
DECIDED = """
    page: home
    slots:
      hero:
        default: {template: hello.liquid}
        rules:
          - {name: Gold, when: visitor.tier == "gold", show: {template: hello.liquid}}
"""
HELLO = "{{ visitor.tier }} {{ visitor.first_name }} {{ visitor.secret }}"
DOWN = SourceUnavailable("profile", "down")


@dataclass
class Platform:
    """One source: profiles by visitor, and whether it fails or hangs. Implements `Profiles`."""

    profiles: dict[str, Profile]
    failure: SourceError | None = None
    hangs: bool = False
    asked: list[frozenset[str]] = field(default_factory=list)

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        self.asked.append(traits)
        await asyncio.sleep(0)
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        return self.profiles.get(visitor_id, Profile(status="missing"))


class Several(World):
    """A world whose profiles come from two sources: the shop's own, and one that may be slow."""

    def __init__(self) -> None:
        super().__init__()
        self.crm = Platform({"ann": Profile({"tier": "gold", "first_name": "Ann"})})
        self.cdp = Platform({"ann": Profile({"tier": "silver", "secret": "s"})})

    def profile_sources(self, terms: Terms) -> tuple[Sequence[ProfileSource], Terms]:
        def source(name: str, profiles: Profiles, fresh_s: float, deadline_ms: float, *gives: str) -> ProfileSource:
            own = replace(terms, lifetime=Lifetime(fresh_s, 600, 0, 5), deadline_ms=deadline_ms, retry_s=0.3)
            return ProfileSource(name, profiles, own, frozenset(gives))

        parts = [
            source("crm", self.crm, 60, 5000),
            source("cdp", self.cdp, 20, 30, "visitor.secret", "visitor.tier"),
        ]
        return parts, replace(terms, lifetime=Lifetime(float("inf"), 0), retry_s=0.3)


@pytest.fixture
def world() -> Several:
    return Several()


@pytest.fixture
async def client(tmp_path: Path, world: Several) -> AsyncIterator[Client]:
    async with client_of(write_site(tmp_path, {"home.yaml": PAGE}, {"hello.liquid": HELLO}), world) as client:
        yield client


async def answers(client: Client, visitor: str = "ann") -> tuple[str, str | None]:
    reply = await client.get("/fragments/home/hero", visitor)
    assert reply.status_code == 200
    return reply.text, reply.headers.get("tessera-fallback")


def later(client: Client, seconds: float) -> None:
    client.clock.append(client.clock[-1] + timedelta(seconds=seconds))


async def test_each_trait_is_that_of_the_first_that_has_it(client: Client, world: Several) -> None:
    assert await answers(client) == ("gold Ann s", None)
    assert world.crm.asked == [frozenset({"first_name", "secret", "tier", "unread"})]
    assert world.cdp.asked == [frozenset({"secret", "tier"})]


async def test_the_merged_profile_is_at_hand_until_the_first_part_is_past_its_life(
    client: Client, world: Several
) -> None:
    for _ in range(3):
        await answers(client)
    later(client, 19.9)
    await answers(client)
    assert (len(world.crm.asked), len(world.cdp.asked)) == (1, 1)
    later(client, 0.2)
    await answers(client)
    assert (len(world.crm.asked), len(world.cdp.asked)) == (1, 2)


async def test_a_slow_source_costs_its_own_traits_and_no_more(client: Client, world: Several) -> None:
    world.cdp.hangs = True
    assert await answers(client) == ("gold Ann ", 'hero=default;cause="profile timeout"')
    assert len(world.crm.asked) == 1


async def test_it_is_asked_again_when_it_may_be(client: Client, world: Several) -> None:
    world.cdp.failure = DOWN
    assert (await answers(client))[0] == "gold Ann "
    world.cdp.failure = None
    later(client, 0.2)
    assert (await answers(client))[0] == "gold Ann "
    later(client, 0.2)
    assert await answers(client) == ("gold Ann s", None)
    assert (len(world.crm.asked), len(world.cdp.asked)) == (1, 2)


async def test_each_stands_in_on_its_own(client: Client, world: Several) -> None:
    await answers(client)
    world.cdp.failure = DOWN
    later(client, 21)
    assert await answers(client) == ("gold Ann s", 'hero=stale;cause="profile unavailable"')
    later(client, 700)
    assert await answers(client) == ("gold Ann ", 'hero=default;cause="profile unavailable"')


async def test_where_none_can_be_had_nothing_is_known(client: Client, world: Several) -> None:
    world.crm.failure = world.cdp.failure = DOWN
    assert await answers(client) == ("  ", 'hero=default;cause="profile unavailable"')


async def test_a_visitor_whom_none_knows_is_missing_for_a_short_time(client: Client, world: Several) -> None:
    assert await answers(client, "nobody") == ("  ", None)
    later(client, 5.1)
    await answers(client, "nobody")
    assert len(world.crm.asked) == 2


async def test_a_refusal_at_one_ends_it_all(client: Client, world: Several) -> None:
    world.cdp.profiles["ann"] = Profile(consents={"personalization": "denied"})
    assert await answers(client) == ("  ", None)


@pytest.mark.parametrize("hard", [True, False])
async def test_a_purge_reaches_the_parts_and_the_whole(client: Client, world: Several, hard: bool) -> None:
    await answers(client)
    world.crm.profiles["ann"] = Profile({"tier": "none"})
    world.made.purge(["visitor:ann"], hard=hard)
    assert (world.made.remembered == 0) is hard
    assert (await answers(client))[0] == "none  s"


async def test_many_who_ask_at_once_share_one_call_of_each(client: Client, world: Several) -> None:
    await asyncio.gather(*(answers(client) for _ in range(20)))
    assert (len(world.crm.asked), len(world.cdp.asked)) == (1, 1)


async def explained(folder: Path, world: Several) -> str:
    site = load(folder)
    context = Context.of(Visitor("ann", "granted"), Device(), "en", site.declared)
    asked, plan = Asked(context, site.declared, NOW), site.pages["home"].slots["hero"]
    async with client_of(site, world) as client:
        pipeline = Pipeline(Gatherer(world.sources()), client.fragments)
        return (await explain(pipeline, asked, site, plan)).to_text()


async def test_the_trace_tells_which_source_gave_what_or_failed(tmp_path: Path, world: Several) -> None:
    folder = write_site(tmp_path, {"home.yaml": DECIDED}, {"hello.liquid": HELLO})
    told = await explained(folder, world)
    assert "\n  profile from crm visitor.first_name, visitor.tier: fresh, " in told
    assert "\n  profile from cdp visitor.secret: fresh, " in told
    world.cdp.failure = DOWN
    assert "\n  profile from cdp: unavailable\n" in await explained(folder, world)


async def test_values_are_made_of_the_text_that_platforms_send(tmp_path: Path, world: Several) -> None:
    facts = """
        facts:
          visitor.tier: {type: enumeration, one_of: [gold, silver], source: profile}
          visitor.ltv: {type: money, unit: EUR, source: profile}
          visitor.churn: {type: integer, source: profile}
          visitor.score: {type: decimal, source: profile}
          visitor.member: {type: boolean, source: profile}
          visitor.likes: {type: set, source: profile}
          visitor.joined: {type: timestamp, source: profile}
          visitor.odd: {type: integer, source: profile}
    """
    sent = {"ltv": "342.1", "churn": "4", "score": "0.75", "member": "true", "likes": "a, b", "odd": "4.5"}
    world.crm.profiles["ann"] = Profile({**sent, "tier": "bronze", "joined": "1574704283"})
    empty = dict.fromkeys(("lists.yaml", "ctas.yaml", "experiments.yaml"), "{}")
    rules = {**empty, "facts.yaml": facts, "home.yaml": DECIDED}
    told = await explained(write_site(tmp_path, rules, {"hello.liquid": "Hello"}), world)
    for line in ("visitor.churn = 4", "visitor.ltv = 34210", "visitor.score = 0.75", "visitor.member = true"):
        assert f"\n  {line}\n" in told
    assert "visitor.joined = 2019-11-25" in told
    assert "visitor.tier = silver" in told  # the next source has one that fits
    assert "\ndid not fit its type, so unknown:\n  visitor.odd\n" in told


SETTINGS = """
[[profiles.sources]]
name = "bought"
adapter = "http"
url = "http://127.0.0.1:9/{visitor_id}"
party = "third"
deadline_ms = 30000
stale_s = 5
gives = ["visitor.secret"]

[[profiles.sources]]
name = "own"
adapter = "sqlite"
deadline_ms = 30000
"""


async def test_settings_name_them_by_whose_data_they_are(tmp_path: Path) -> None:
    (tmp_path / "tessera.toml").write_text(SETTINGS)
    settings = load_settings(tmp_path, server={"mode": "development", "state_dir": tmp_path / "state"})
    assert [each.name for each in settings.profiles.by_precedence] == ["own", "bought"]
    prepare_store(tmp_path, settings)
    async with assemble(settings) as parts:
        site = load(write_site(tmp_path, {"home.yaml": PAGE}, {"hello.liquid": HELLO}))
        got = await parts["pipeline"].gatherer.sources.profile("nobody", site.declared)
    assert [(part.source, part.status) for part in got.value.parts] == [("own", "missing"), ("bought", "unavailable")]
