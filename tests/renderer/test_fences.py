"""Whatever the order of fetches, purges and requests: nobody who asks after a purge is given what is older than it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.renderer.core.errors import SourceError, SourceUnavailable
from tessera.renderer.core.freshness import Lifetime
from tessera.renderer.core.tags import EVERYTHING
from tessera.renderer.fences import Fences
from tessera.renderer.remembered import Arrived, Got, Remembered, Terms


class Answer(NamedTuple):
    """What upstream said when ``purges`` purges had been, and the tags that it carries."""

    purges: int
    tags: tuple[str, ...]


@dataclass
class Scene:
    """One upstream whose fetches land when told to, its requests, and what was purged."""

    remembered: Remembered[str, Answer]
    fences: Fences
    now_s: float = 0.0
    purges: list[tuple[frozenset[str], bool]] = field(default_factory=list)
    landing: list[asyncio.Future[bool]] = field(default_factory=list)
    requests: list[tuple[int, str, "asyncio.Task[Got[Answer]]"]] = field(default_factory=list)

    def fetch(self, key: str) -> Callable[[], Awaitable[Arrived[Answer]]]:
        async def fetch() -> Arrived[Answer]:
            said = Answer(len(self.purges), (f"list:{key}", f"item:{len(self.purges) % 2}"))
            gate: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self.landing.append(gate)
            if not await gate:
                raise SourceUnavailable("items", "down")
            return Arrived(said, said.tags)

        return fetch

    async def request(self, key: str) -> Got[Answer]:
        about = (f"list:{key}", "item:")
        return self.remembered.at_hand(key) or await self.remembered.get(key, self.fetch(key), about)

    def judge(self, asked_at: int, key: str, got: Got[Answer]) -> None:
        """What was purged between the fetch and the request must not be handed out, or not as fresh."""
        assert got.value.tags[0] == f"list:{key}"
        for tags, hard in self.purges[got.value.purges : asked_at]:
            if EVERYTHING in tags or tags & set(got.value.tags):
                assert not hard, "given out after a hard purge"
                assert got.freshness != "fresh", "fresh after a soft purge"


tags = st.frozensets(st.sampled_from(["list:a", "list:b", "item:0", "item:1", "item:7", EVERYTHING]), min_size=1)
steps = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from("ab")),
    st.tuples(st.just("purge"), st.tuples(tags, st.booleans())),
    st.tuples(st.just("land"), st.tuples(st.integers(0, 5), st.sampled_from([True, True, True, False]))),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 30.0, 70.0])),
)


@settings(max_examples=300)
@given(st.lists(steps, max_size=30), st.sampled_from([0.0, 30.0]), st.sampled_from([1, 50]), st.sampled_from([2, 100]))
def test_what_began_before_a_purge_is_not_handed_out_after_it(
    history: list[tuple[str, object]], stale_s: float, max_entries: int, max_tags: int
) -> None:
    async def play() -> None:
        terms = Terms("items", 1e9, Lifetime(60, 600, stale_s), max_entries, 10**6, 0.3)
        fences = Fences(max_tags)
        scene = Scene(Remembered(terms, fences, lambda: scene.now_s, lambda: 0.5), fences)
        for what, how in history:
            match what, how:
                case "ask", str(key):
                    task = asyncio.ensure_future(scene.request(key))
                    scene.requests.append((len(scene.purges), key, task))
                case "purge", (frozenset() as purged, bool(hard)):
                    scene.purges.append((purged, hard))
                    fences.put_up(purged, hard=hard, now_s=scene.now_s)
                case "land", (int(which), bool(well)) if scene.landing:
                    scene.landing.pop(which % len(scene.landing)).set_result(well)
                case "wait", float(seconds):
                    scene.now_s += seconds
            await settled()
        while scene.landing:
            scene.landing.pop().set_result(True)
            await settled()
        for asked_at, key, task in scene.requests:
            try:
                scene.judge(asked_at, key, await task)
            except SourceError:
                continue

    asyncio.run(play())


async def settled() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


async def test_a_flight_that_no_purge_concerns_is_still_shared() -> None:
    fences = Fences()
    terms = Terms("profile", 1e9, Lifetime(60, 600), 10, 10**6, 0.3)
    scene = Scene(Remembered(terms, fences, lambda: 0.0, lambda: 0.0), fences)
    first = asyncio.ensure_future(scene.remembered.get("a", scene.fetch("a"), ("list:a",)))
    await settled()
    fences.put_up(["list:b", "item:0"], hard=True, now_s=0.0)
    second = asyncio.ensure_future(scene.remembered.get("a", scene.fetch("a"), ("list:a",)))
    await settled()
    fences.put_up(["list:a"], hard=False, now_s=0.0)
    third = asyncio.ensure_future(scene.remembered.get("a", scene.fetch("a"), ("list:a",)))
    await settled()
    assert len(scene.landing) == 2
    for gate in scene.landing[::-1]:  # the later one lands first
        gate.set_result(True)
        await settled()
    assert [(await each).value.purges for each in (first, second, third)] == [0, 0, 0]
    assert (await first).fresh_for_s == 0
    assert (await third).fresh_for_s == 60
    assert scene.remembered.at_hand("a") == await third


def test_the_oldest_fences_are_forgotten_as_if_all_had_been_purged() -> None:
    fences = Fences(max_tags=4)
    for number in range(10):
        fences.put_up([f"item:{number}"], hard=True, now_s=number)
    assert fences.hard_since(1, ("visitor:ann",))
    assert not fences.hard_since(9, ("visitor:ann",))
    assert fences.hard_since(9, ("item:9",))


async def test_an_answer_never_takes_the_place_of_one_that_was_asked_for_later() -> None:
    fences = Fences()
    terms = Terms("items", 1e9, Lifetime(60, 600), 10, 10**6, 0.3)
    scene = Scene(Remembered(terms, fences, lambda: scene.now_s, lambda: 0.0), fences)
    for _ in range(2):
        asking = asyncio.ensure_future(scene.request("a"))
        await settled()
        scene.purges.append((frozenset(["item:7"]), True))
        fences.put_up(["item:7"], hard=True, now_s=scene.now_s)  # which could have been on the list, and was not
        scene.now_s += 1
    for gate in scene.landing[::-1]:
        gate.set_result(True)
        await settled()
    assert (await asking).value.purges == 1
    assert scene.remembered.at_hand("a") == (await asking)._replace(age_s=1.0, fresh_for_s=59.0)
