"""Whatever happens, in whatever order, on several processes: nobody sees an input that is older than is documented.

The model has no caches. It knows every value that each input ever had, and says which of them an answer may be made of.
"""

import asyncio
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.cache.redis import RedisFragments
from tessera.renderer.core.context import Context
from tessera.renderer.core.device import Device
from tessera.renderer.core.errors import SourceUnavailable
from tessera.renderer.core.freshness import Lifetime
from tessera.renderer.core.notices import Notice
from tessera.renderer.core.ports import ListQuery, Profile, Recommendations, Recommended
from tessera.renderer.core.tags import EVERYTHING
from tessera.renderer.core.visitor import Visitor
from tessera.renderer.following import Follower
from tessera.renderer.fragments import Fragments
from tessera.renderer.gather import Asked, Gatherer
from tessera.renderer.loader import LoadedSite
from tessera.renderer.noticeboard import Noticeboard
from tessera.renderer.pipeline import Answer, Pipeline
from tessera.renderer.purges import Purges
from tessera.renderer.reload import LiveSite, Wanted
from tessera.renderer.remembered import Terms
from tessera.renderer.site import Site
from tessera.renderer.sources import Sources
from tests.support.fakes import FakeAssignments, FakeCarts, FakeEvents, FakeFlags, World, item
from tests.support.redis_in_memory import RedisInMemory
from tests.support.sites import load, write_site

PAGE = """
    page: home
    slots:
      one:
        default: {template: one.liquid, items: popular}
        rules:
          - name: Gold
            when: visitor.tier == "gold"
            show: {template: gold.liquid}
"""
VISITORS = ("v0", "v1")
ITEMS = ("A", "B")
FRESH_S, GRACE_S = 60.0, 600.0
SHOWN = re.compile(r"(\d)(G?)\[(?:(v\d)=(\d+))?\](?:A=(\d+),B=(\d+),)?")


@cache
def sites() -> Sequence[Site]:
    """Three versions of a site, which say which they are."""
    body = "[{{ visitor.first_name }}]{% for item in items %}{{ item.title }},{% endfor %}"
    return [
        load(
            write_site(
                Path(mkdtemp()),
                {"home.yaml": PAGE},
                {"one.liquid": f"{number}{body}", "gold.liquid": f"{number}G{body}"},
            )
        )
        for number in range(3)
    ]


class Change(NamedTuple):
    """A thing got its next value, or a purge was put up: when in the order of things, and when by the clock."""

    tick: int
    at_s: float


class Purge(NamedTuple):
    """A purge, and when it was."""

    when: Change
    tags: frozenset[str]
    hard: bool


@dataclass
class Upstream:
    """All that is true, was true and was purged. Implements the ports: what they read, they hand over a while later."""

    stale_s: float
    now_s: float = 0.0
    tick: int = 0
    failing: bool = False
    changes: dict[str, list[Change]] = field(default_factory=lambda: {t: [Change(0, 0.0)] for t in VISITORS + ITEMS})
    purges: list[Purge] = field(default_factory=list)

    def happens(self) -> Change:
        self.tick += 1
        return Change(self.tick, self.now_s)

    def value(self, thing: str) -> int:
        return len(self.changes[thing]) - 1

    async def later(self, turns: int) -> None:
        failing = self.failing
        for _ in range(turns):
            await asyncio.sleep(0)
        if failing:
            raise SourceUnavailable("profile", "down")

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        value = self.value(visitor_id)
        await self.later(3)
        return Profile({"first_name": f"{visitor_id}={value}", "tier": "gold" if value % 2 else "none"})

    def may_be_seen(self, thing: str, value: int, asked: Change, *, fresh: bool) -> bool:
        """Tell whether an answer to a request of then may be made of a value that a thing had once."""
        gone = self.changes[thing][value + 1 : value + 2]
        if not gone:
            return True
        allowed_s = FRESH_S + self.stale_s if fresh else FRESH_S + GRACE_S
        if asked.at_s - gone[0].at_s >= allowed_s:
            return False
        own = {EVERYTHING, f"visitor:{thing}", f"item:{thing}"} | ({"list:popular"} if thing in ITEMS else set())
        since = [each for each in self.purges if gone[0].tick <= each.when.tick <= asked.tick and each.tags & own]
        return not any(each.hard or (fresh and asked.at_s - each.when.at_s >= self.stale_s) for each in since)


class Lists:
    """Implements the recommender and the catalogue over what is true."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def items(self, query: ListQuery) -> Recommendations:
        await self._upstream.later(1)
        return Recommendations(tuple(map(Recommended, ITEMS)))


class Catalogue(Lists):
    async def items(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, object]]:  # type: ignore[override]
        sold = {sku: item(sku, f"{sku}={self._upstream.value(sku)}") for sku in ids}
        await self._upstream.later(2)
        return sold


class Process:
    """One worker: its own inputs, fragments and live site, and the board of its machine."""

    def __init__(
        self, upstream: Upstream, folder: Path, live: list[int], redis: RedisInMemory | None, *, tiny: bool, seed: int
    ) -> None:
        lifetime = Lifetime(FRESH_S, GRACE_S, upstream.stale_s)
        terms = Terms("profile", 1e9, lifetime, 2 if tiny else 100, 10**6, 0.3)
        empty = World()
        sources = Sources(
            (upstream, terms),
            (Lists(upstream), terms),
            (Catalogue(upstream), terms),
            (FakeCarts(empty), terms),
            (FakeEvents(empty), terms),
            (FakeAssignments(empty), terms),
            (FakeFlags(empty), terms),
            lambda: upstream.now_s,
            random.Random(seed).random,
        )
        shared = RedisFragments(redis, idle_s=3600) if redis is not None else None
        fragments = Fragments(MemoryCache(900 if tiny else 10**6), shared)
        follower = Follower(Noticeboard(folder), Purges(sources, fragments))
        self.pipeline = Pipeline(Gatherer(sources), fragments, None, follower.look)
        self.upstream = upstream
        self.heard = live[-1]
        self._live = live
        self.site = LiveSite(
            sites()[live[-1]],
            lambda: LoadedSite((), {}, sites()[live[-1]]),
            lambda: Wanted(live[-1]),
            at_each_request=False,
        )

    def hear(self) -> None:
        """Look at what is live, as `LiveSite.watch` does at times."""
        self.site.refresh()
        self.heard = self._live[-1]

    async def ask(self, visitor: str, now: datetime) -> None:
        """Ask, and hold the answer against what may have been seen."""
        asked, heard, site = Change(self.upstream.tick, self.upstream.now_s), self.heard, self.site.current()
        context = Context.of(Visitor(visitor, "granted"), Device(), "en", site.declared)
        request = Asked(context, site.declared, now)
        answer = await self.pipeline.slot(request, site.pages["home"].slots["one"])
        self.judge(answer, asked, visitor, heard)

    def judge(self, answer: Answer, asked: Change, visitor: str, version: int) -> None:
        upstream, text = self.upstream, answer.fragment.body.decode()
        fresh = answer.rung == "fresh"
        if not text and not fresh:
            return
        found = SHOWN.fullmatch(text)
        assert found, text
        number, gold, who, name, *titles = found.groups()
        assert int(number) == version
        assert who in (visitor, None)
        assert who or not fresh
        if fresh:
            assert bool(gold) == bool(int(name) % 2)
        for thing, value in zip((visitor, *ITEMS), (name, *titles), strict=True):
            assert value is None or upstream.may_be_seen(thing, int(value), asked, fresh=fresh), (thing, text)


tags = st.frozensets(
    st.sampled_from([*(f"visitor:{v}" for v in VISITORS), "item:A", "item:B", "list:popular", EVERYTHING]),
    min_size=1,
    max_size=2,
)
events = st.one_of(
    st.just(("nothing", None)),
    st.tuples(st.just("change"), st.sampled_from(VISITORS + ITEMS)),
    st.tuples(st.just("mend"), st.tuples(st.sampled_from(VISITORS + ITEMS), st.booleans())),
    st.tuples(st.just("purge"), st.tuples(tags, st.booleans())),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 20.0, 45.0, 90.0, 700.0])),
    st.tuples(st.just("publish"), st.integers(0, 2)),
    st.tuples(st.just("hear"), st.integers(0, 1)),
    st.tuples(st.just("fail"), st.booleans()),
    st.tuples(st.just("redis is away"), st.booleans()),
    st.tuples(st.just("set the clock"), st.integers(-3, 3)),
)
requests = st.lists(st.tuples(st.integers(0, 1), st.sampled_from(VISITORS)), min_size=1, max_size=6)
rounds = st.tuples(events, requests, st.sampled_from([0, 1, 2, 3, 5, 30, 30, 30]))
"""What happens, who asks for what then, and how many turns all that is under way has before the next round."""


@settings(max_examples=80)
@given(
    st.lists(rounds, min_size=4, max_size=15),
    st.sampled_from([0.0, 30.0]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 99),
)
def test_nobody_sees_what_is_older_than_documented(
    history: list[tuple[tuple[str, object], list[tuple[int, str]], int]],
    stale_s: float,
    tiny: bool,
    both_levels: bool,
    seed: int,
) -> None:
    async def play(folder: Path) -> None:
        upstream, live, now = Upstream(stale_s), [0], datetime(2026, 11, 23, tzinfo=UTC)
        redis = RedisInMemory()
        board = Noticeboard(folder, max_bytes=300 if tiny else 10**6)
        shared = redis if both_levels else None
        processes = [Process(upstream, folder, live, shared, tiny=tiny, seed=seed + n) for n in range(2)]
        asking: list[asyncio.Task[None]] = []
        for event, requests, turns in history:
            match event:
                case "change", str(thing):
                    upstream.changes[thing].append(upstream.happens())
                case "purge", (frozenset() as purged, bool(hard)):
                    board.append(Notice("purge", tuple(purged), hard=hard))
                    upstream.purges.append(Purge(upstream.happens(), purged, hard))
                case "mend", (str(thing), bool(hard)):  # upstream is changed, then purged here
                    upstream.changes[thing].append(upstream.happens())
                    purged = frozenset([f"visitor:{thing}" if thing in VISITORS else f"item:{thing}"])
                    board.append(Notice("purge", tuple(purged), hard=hard))
                    upstream.purges.append(Purge(upstream.happens(), purged, hard))
                case "wait", float(seconds):
                    upstream.now_s += seconds
                case "set the clock", int(days):
                    now += timedelta(days=days)
                case "publish", int(version):
                    live.append(version)
                    board.append(Notice("look"))
                case "hear", int(n):
                    processes[n].hear()
                case "redis is away", bool(away):
                    redis.away = away
                case "fail", bool(failing):
                    upstream.failing = failing
            asking += [asyncio.ensure_future(processes[n].ask(who, now)) for n, who in requests]
            for _ in range(turns):
                await asyncio.sleep(0)
        await asyncio.gather(*asking)

    with TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder)))
