"""Fragments: one render a key, in a process and across them; purges hold; what fails or differs is noticed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tessera.adapters.redis import SharedRedis
from tessera.renderer import fragments as under_test
from tessera.renderer.cache.base import Claim, Fragment
from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.cache.redis import POLLS, PREFIX, PURGES, RedisFragments
from tessera.renderer.core.errors import Away
from tessera.renderer.core.inputs import Gathered, Items
from tessera.renderer.core.tags import EVERYTHING, Tag
from tessera.renderer.engines.base import RenderError, Template
from tessera.renderer.fragments import Fragments
from tessera.renderer.plans import OutcomePlan
from tests.support.loop_time import LoopTime
from tests.support.redis import RedisServer, redis_server
from tests.support.sites import load, write_site

RULES = """
    page: home
    slots:
      one: {default: {template: one.liquid, cta: look, items: popular}}
"""
DEADLINE_MS = 60_000.0
LONG = "<p>a long text that is worth compressing</p>" * 50
TEMPLATES = {"one.liquid": "{{ visitor.tier }}{% for item in items %}{{ item.title }}{% endfor %}{{ cta.text }}" + LONG}
CTA = {"id": "look", "text": "Look", "message": None, "url": "/", "goal": "visit"}


@dataclass
class Counting:
    """A template that counts its renders, fails when told to, and adds what its key does not know."""

    template: Template
    renders: list[int] = field(default_factory=list)
    fails: bool = False
    unknown: str = ""

    def __getattr__(self, name: str) -> object:
        return getattr(self.template, name)

    def render(self, inputs: Mapping[str, object]) -> str:
        self.renders.append(1)
        if self.fails:
            raise RenderError("it cannot", self.template.name, 1, 1)
        return self.template.render(inputs) + self.unknown


@pytest.fixture
def plan(tmp_path: Path) -> OutcomePlan:
    folder = write_site(tmp_path / "site", {"home.yaml": RULES}, TEMPLATES)
    outcome = load(folder).pages["home"].slots["one"].default
    assert outcome.template is not None
    return replace(outcome, template=Counting(outcome.template))  # type: ignore[arg-type]


def renders(plan: OutcomePlan) -> int:
    assert isinstance(plan.template, Counting)
    return len(plan.template.renders)


def inputs(tier: str = "gold", *skus: str) -> Gathered:
    return Gathered({"visitor.tier": tier}, CTA, Items([{"sku": sku, "title": sku.lower()} for sku in skus or ("A",)]))


async def ask(fragments: Fragments, plan: OutcomePlan, gathered: Gathered) -> Fragment:
    """Ask as the pipeline does."""
    key, purges = plan.inputs.key(gathered), fragments.purges
    return fragments.at_hand(key, plan, gathered) or (await fragments.made(key, plan, gathered, purges))[0]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_what_was_rendered_is_at_hand_with_its_tags(plan: OutcomePlan) -> None:
    fragments = Fragments(MemoryCache(100_000))
    first = await ask(fragments, plan, inputs("gold", "A", "B"))
    assert first.body == b"goldabLook" + LONG.encode()
    assert first.tags == ("template:one.liquid", "cta:look", "item:A", "item:B")
    assert await ask(fragments, plan, inputs("gold", "A", "B")) is first
    assert renders(plan) == 1


async def test_a_purge_drops_what_carries_a_tag_and_nothing_else(plan: OutcomePlan) -> None:
    fragments = Fragments(MemoryCache(100_000))
    for sku in "ABC":
        await ask(fragments, plan, inputs("gold", sku))
    assert fragments.purge(frozenset({"item:A", "item:B", "item:Z"})) == 2
    await ask(fragments, plan, inputs("gold", "C"))
    assert renders(plan) == 3
    await ask(fragments, plan, inputs("gold", "A"))
    assert renders(plan) == 4
    assert fragments.purge(frozenset({EVERYTHING})) == 2
    assert fragments.purge(frozenset({"template:one.liquid"})) == 0


async def test_what_was_gathered_before_a_purge_is_answered_with_and_not_kept(plan: OutcomePlan) -> None:
    fragments = Fragments(MemoryCache(100_000))
    key, purges = plan.inputs.key(inputs()), fragments.purges
    fragments.purge(frozenset({"item:Z"}))
    fragment, found = await fragments.made(key, plan, inputs(), purges)
    assert (fragment.body[:4], found) == (b"gold", "miss")
    assert fragments.at_hand(key, plan, inputs()) is None


async def test_a_template_that_failed_for_a_key_is_left_alone_for_a_moment(plan: OutcomePlan) -> None:
    clock = Clock()
    fragments = Fragments(MemoryCache(100_000), clock=clock)
    assert isinstance(plan.template, Counting)
    plan.template.fails = True
    for _ in range(3):
        with pytest.raises(RenderError, match="it cannot"):
            await ask(fragments, plan, inputs())
    assert renders(plan) == 1
    with pytest.raises(RenderError):
        await ask(fragments, plan, inputs("silver"))
    assert renders(plan) == 2
    plan.template.fails, clock.now = False, 2.0
    assert (await ask(fragments, plan, inputs())).body.startswith(b"gold")


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "VERIFY_AFTER_S", 0.0)


@pytest.mark.usefixtures("soon")
async def test_hits_that_are_rendered_alike_again_change_nothing(plan: OutcomePlan) -> None:
    fragments = Fragments(MemoryCache(100_000), verify_share=1.0)
    for _ in range(400):
        await ask(fragments, plan, inputs())
    before = renders(plan)
    await asyncio.sleep(0.01)
    assert before == 1
    assert renders(plan) - 1 == fragments.verified > 100
    assert fragments.differed == 0


@pytest.mark.usefixtures("soon")
async def test_a_hit_that_comes_out_otherwise_is_told_without_values_and_its_template_purged(
    plan: OutcomePlan, caplog: pytest.LogCaptureFixture
) -> None:
    fragments = Fragments(MemoryCache(100_000), verify_share=1.0)
    assert isinstance(plan.template, Counting)
    await ask(fragments, plan, inputs("silver"))
    await ask(fragments, plan, inputs("gold"))
    plan.template.unknown = "!"
    key = plan.inputs.key(inputs("gold"))
    with caplog.at_level(logging.ERROR):
        while not fragments.differed:
            await ask(fragments, plan, inputs("gold"))
            await asyncio.sleep(0.001)
    assert fragments.at_hand(plan.inputs.key(inputs("silver")), plan, inputs("silver")) is None
    assert caplog.messages[0] == (
        f"one.liquid: the entry {key.hex()} is not what it is rendered to; "
        "it is made of cta.id, cta.text, items[].sku, items[].title, visitor.tier"
    )


async def test_of_hits_that_are_not_to_be_verified_none_is(plan: OutcomePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    time = LoopTime(monkeypatch)
    fragments = Fragments(MemoryCache(100_000), verify_share=0.0)
    for _ in range(1000):
        await ask(fragments, plan, inputs())
    time.let_pass(2 * under_test.VERIFY_AFTER_S)
    for _ in range(3):
        await asyncio.sleep(0)
    assert (renders(plan), fragments.verified) == (1, 0)


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
async def server(shared_server: RedisServer) -> RedisServer:
    redis = SharedRedis(shared_server.url, DEADLINE_MS)
    await redis.run([("FLUSHALL",)])
    await redis.close()
    return shared_server


@asynccontextmanager
async def processes(
    server: RedisServer, count: int, deadline_ms: float = DEADLINE_MS, retry_s: float = 0.2
) -> AsyncIterator[list[Fragments]]:
    """As many processes as that, sharing a Redis."""
    async with AsyncExitStack() as opened:
        made = []
        for _ in range(count):
            redis = SharedRedis(server.url, deadline_ms, retry_s)
            opened.push_async_callback(redis.close)
            made.append(Fragments(MemoryCache(1_000_000), RedisFragments(redis, 60)))
            opened.push_async_callback(made[-1].close)
        yield made


async def settled(*levels: Fragments | RedisFragments) -> None:
    """Wait for what these do in the background."""
    for each in levels:
        await each.close()


async def stored(server: RedisServer) -> list[bytes]:
    redis = SharedRedis(server.url, DEADLINE_MS)
    (keys,) = await redis.run([("KEYS", PREFIX + b"*")])
    assert isinstance(keys, list)
    await redis.close()
    return [key for key in keys if key != PURGES]


async def test_a_fragment_is_rendered_once_for_all_processes(
    server: RedisServer, plan: OutcomePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.renderer.cache.redis.CLAIM_MS", 60_000)  # however long it takes to render and store it
    monkeypatch.setattr("tessera.renderer.cache.redis.POLLS", 15_000)
    async with processes(server, 4) as many:
        asked = [ask(each, plan, inputs()) for each in many for _ in range(25)]
        bodies = {fragment.body for fragment in await asyncio.gather(*asked)}
        assert (renders(plan), len(bodies)) == (1, 1)
        await settled(*many)
        async with processes(server, 1) as (late,):
            assert (await ask(late, plan, inputs())).body in bodies
            assert late.at_hand(plan.inputs.key(inputs()), plan, inputs())
    assert renders(plan) == 1


async def test_the_fragments_of_a_page_are_one_round_trip(server: RedisServer, plan: OutcomePlan) -> None:
    redis = CountingRedis(server.url, DEADLINE_MS)
    fragments = Fragments(MemoryCache(1_000_000), RedisFragments(redis, 60))
    await asyncio.gather(*(ask(fragments, plan, inputs(tier)) for tier in ("none", "silver", "gold")))
    await fragments.close()
    assert (redis.round_trips, renders(plan), len(await stored(server))) == (2, 3, 3)  # one to look up, one to store
    await redis.close()


class CountingRedis(SharedRedis):
    round_trips = 0

    async def run(self, commands: object) -> list[object]:
        self.round_trips += 1
        return await super().run(commands)  # type: ignore[arg-type]


async def test_whoever_claimed_a_key_and_died_is_not_waited_for_long(
    server: RedisServer, plan: OutcomePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.renderer.cache.redis.CLAIM_MS", 60_000)
    redis = CountingRedis(server.url, DEADLINE_MS)
    await RedisFragments(redis, 60).claim(plan.inputs.key(inputs()), ())
    fragments = Fragments(MemoryCache(1_000_000), RedisFragments(redis, 60))
    assert (await ask(fragments, plan, inputs())).body.startswith(b"gold")
    await settled(fragments)
    assert redis.round_trips == 1 + POLLS + 1  # its claim, ours, and what is stored at last
    await redis.close()


async def test_a_template_that_fails_gives_its_claim_up(server: RedisServer, plan: OutcomePlan) -> None:
    assert isinstance(plan.template, Counting)
    plan.template.fails = True
    async with processes(server, 2) as (one, other):
        with pytest.raises(RenderError):
            await ask(one, plan, inputs())
        await settled(one)
        assert await stored(server) == []
        plan.template.fails = False
        assert (await ask(other, plan, inputs())).body.startswith(b"gold")


@pytest.mark.parametrize("purged", ["item:A", "template:one.liquid", "cta:look", EVERYTHING])
async def test_a_purge_in_one_process_holds_for_what_others_take_from_redis(
    server: RedisServer, plan: OutcomePlan, purged: Tag
) -> None:
    async with processes(server, 3) as (one, other, third):
        for tier in ("gold", "silver"):
            await ask(one, plan, inputs(tier))
        await settled(one)
        one.purge(frozenset({purged}))
        await settled(one)
        await ask(other, plan, inputs("gold"))
        assert renders(plan) == 3
        await settled(other)
        await ask(third, plan, inputs("gold"))
        assert renders(plan) == 3


async def test_a_purge_leaves_in_redis_what_it_does_not_concern(server: RedisServer, plan: OutcomePlan) -> None:
    async with processes(server, 2) as (one, other):
        await ask(one, plan, inputs("gold", "A"))
        await ask(one, plan, inputs("gold", "B"))
        await settled(one)
        one.purge(frozenset({"item:A"}))
        await settled(one)
        await ask(other, plan, inputs("gold", "B"))
        assert renders(plan) == 2


async def test_what_was_claimed_before_a_purge_and_stored_after_it_is_never_found(
    server: RedisServer, plan: OutcomePlan
) -> None:
    redis = SharedRedis(server.url, DEADLINE_MS)
    slow, quick = RedisFragments(redis, 60), RedisFragments(redis, 60)
    tags: tuple[Tag, ...] = ("item:A", "template:one.liquid")
    for purged in ("item:A", EVERYTHING):
        key = plan.inputs.key(inputs("gold", purged))
        claim = await slow.claim(key, tags)
        await quick.purge(frozenset({purged}))
        slow.keep(key, claim, b"from before")
        await settled(slow)
        assert (await quick.claim(key, tags)).body is None
        now = await quick.claim(key, tags)
        quick.keep(key, now, b"from after")
        await settled(quick)
        assert (await slow.claim(key, tags)).body == b"from after"
    await redis.close()


async def test_more_purged_tags_than_are_remembered_drop_everything(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.renderer.cache.redis.MAX_TAGS", 3)
    redis = SharedRedis(server.url, DEADLINE_MS)
    level = RedisFragments(redis, 60)
    level.keep(b"k", await level.claim(b"k", ("item:A",)), b"body")
    await settled(level)
    await level.purge(frozenset({"item:B"}))
    assert (await level.claim(b"k", ("item:A",))).body == b"body"
    await level.purge(frozenset({"item:C", "item:D", "item:E"}))
    assert (await level.claim(b"k", ("item:A",))).body is None
    await redis.close()


async def test_what_was_cut_short_in_redis_is_rendered_anew(server: RedisServer, plan: OutcomePlan) -> None:
    async with processes(server, 2) as (one, other):
        expected = await ask(one, plan, inputs())
        await settled(one)
        redis = SharedRedis(server.url, DEADLINE_MS)
        (key,) = await stored(server)
        await redis.run([("SETRANGE", key, 60, "XX")])
        assert (await ask(other, plan, inputs())).body == expected.body
        assert renders(plan) == 2
        await redis.close()


async def test_in_redis_the_time_that_a_fragment_is_kept_begins_anew_when_it_is_asked_for(server: RedisServer) -> None:
    redis = SharedRedis(server.url, DEADLINE_MS)
    level = RedisFragments(redis, idle_s=60)
    for key in (b"asked for", b"left alone"):
        level.keep(key, await level.claim(key, ()), b"body")
    await settled(level)
    await redis.run([("PEXPIRE", PREFIX + key, 10_000) for key in (b"asked for", b"left alone")])
    assert (await level.claim(b"asked for", ())).body == b"body"
    await settled(level)
    asked, alone = await redis.run([("PTTL", PREFIX + key) for key in (b"asked for", b"left alone")])
    assert isinstance(asked, int)
    assert isinstance(alone, int)
    assert 0 < alone <= 10_000 < asked <= 60_000
    await redis.close()


async def test_without_redis_each_process_goes_on_alone_and_comes_back(tmp_path: Path, plan: OutcomePlan) -> None:
    with redis_server(tmp_path) as server:
        async with processes(server, 2) as (one, other):
            await ask(one, plan, inputs("gold"))
            await settled(one)
            server.kill()
            for tier in ("none", "silver", "gold"):
                await asyncio.gather(ask(one, plan, inputs(tier)), ask(other, plan, inputs(tier)))
            assert renders(plan) == 1 + 2 + 3
            server.start()
            await asyncio.sleep(0.25)
            await ask(one, plan, inputs("gold", "Z"))
            await settled(one)
            await ask(other, plan, inputs("gold", "Z"))
            assert renders(plan) == 1 + 2 + 3 + 1


async def test_a_redis_that_does_not_answer_costs_a_deadline_once(
    tmp_path: Path, plan: OutcomePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis_server(tmp_path) as server:
        async with processes(server, 1, retry_s=3600) as (one,):
            await ask(one, plan, inputs("gold"))
            await settled(one)
            server.hold()

            async def asked() -> None:
                for sku in "BCDEFGHIJKLMNOPQRSTUVWXYZ":
                    assert (await ask(one, plan, inputs("gold", sku))).body.startswith(b"gold")

            asking = asyncio.ensure_future(asked())
            took_s = await LoopTime(monkeypatch).let_pass_until(asking)
            await asking
            server.go_on()
            assert took_s < 2 * DEADLINE_MS / 1000  # and not one for each of them


async def test_a_purge_while_redis_is_away_is_made_up_for_before_anything_is_taken_from_there(
    plan: OutcomePlan,
) -> None:
    shared = Unsteady()
    one, other = Fragments(MemoryCache(100_000), shared), Fragments(MemoryCache(100_000), shared)
    await ask(one, plan, inputs())
    shared.away = True
    other.purge(frozenset({"item:A"}))
    await asyncio.sleep(0)
    shared.away = False
    await ask(other, plan, inputs())
    assert (shared.purged, renders(plan)) == ([frozenset({"item:A"})], 2)


class Unsteady:
    """A second level in memory, which can be away."""

    def __init__(self) -> None:
        self.away = False
        self.purged: list[frozenset[Tag]] = []
        self._kept: dict[bytes, tuple[int, bytes]] = {}

    async def claim(self, key: bytes, tags: tuple[Tag, ...]) -> Claim:
        if self.away:
            raise Away("away")
        purges, body = self._kept.get(key, (-1, b""))
        return Claim(body if purges == len(self.purged) else None, b"%d" % len(self.purged))

    def keep(self, key: bytes, claim: Claim, body: bytes) -> None:
        self._kept[key] = (int(claim.stamp), body)

    def give_up(self, key: bytes) -> None:
        self._kept.pop(key, None)

    async def purge(self, tags: frozenset[Tag]) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise Away("away")
        self.purged.append(tags)

    async def close(self) -> None:
        return


async def test_what_was_on_its_way_from_redis_when_a_purge_came_is_not_kept(
    server: RedisServer, plan: OutcomePlan
) -> None:
    async with processes(server, 2) as (one, other):
        await ask(one, plan, inputs())
        await settled(one)
        on_its_way = asyncio.ensure_future(ask(other, plan, inputs()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        other.purge(frozenset({"item:A"}))
        assert (await on_its_way).body.startswith(b"gold")
        assert other.at_hand(plan.inputs.key(inputs()), plan, inputs()) is None
