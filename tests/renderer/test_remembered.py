"""Inputs by age: fresh, refreshed behind, standing in, not to be had; and never more of them than allowed."""

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable

import pytest

from tessera.renderer.core.errors import SourceError, SourceTimeout, SourceUnavailable
from tessera.renderer.core.freshness import Lifetime
from tessera.renderer.fences import Fences
from tessera.renderer.remembered import Arrived, Got, Remembered, Terms

DOWN = SourceUnavailable("profile", "down")
TAGS = ("visitor:ann",)


class Upstream:
    """One upstream that counts its calls, each of which takes ``takes_s``, and what remembers its answers."""

    def __init__(self, lifetime: Lifetime, *, max_entries: int = 100, max_bytes: int = 10**7, retry_s: float = 0.3):
        self.now_s = 1000.0
        self.draw = 0.0
        self.calls = 0
        self.takes_s = 0.0
        self.missing = False
        self.failure: SourceError | None = None
        terms = Terms("profile", 1000, lifetime, max_entries, max_bytes, retry_s)
        self.fences = Fences()
        self.remembered: Remembered[str, object] = Remembered(terms, self.fences, lambda: self.now_s, lambda: self.draw)

    def fetch(self, key: str) -> Callable[[], Awaitable[Arrived[object]]]:
        async def fetch() -> Arrived[object]:
            self.calls += 1
            await asyncio.sleep(0)
            self.now_s += self.takes_s
            if self.failure is not None:
                raise self.failure
            return Arrived(f"{key}{self.calls}", (f"visitor:{key}",), self.missing)

        return fetch

    async def get(self, key: str = "ann") -> Got[object]:
        return await self.remembered.get(key, self.fetch(key), (f"visitor:{key}",))


async def settled() -> None:
    """Let what runs behind come to its end."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_fresh_answer_is_at_hand_with_its_age() -> None:
    upstream = Upstream(Lifetime(60, 600))
    assert upstream.remembered.at_hand("ann") is None
    assert await upstream.get() == Got("ann1", 0.0, 60, "fresh", None, TAGS)
    upstream.now_s += 59
    assert upstream.remembered.at_hand("ann") == Got("ann1", 59, 1, "fresh", None, TAGS)
    upstream.now_s += 1
    assert upstream.remembered.at_hand("ann") is None
    assert (await upstream.get()).value == "ann2"


async def test_within_stale_s_the_old_answer_comes_at_once_while_one_newer_is_fetched_behind() -> None:
    upstream = Upstream(Lifetime(60, 600, stale_s=30))
    await upstream.get()
    upstream.now_s += 89
    assert [await upstream.get() for _ in range(20)] == [Got("ann1", 89, 0.0, "refreshing", None, TAGS)] * 20
    assert upstream.calls == 1
    await settled()
    assert upstream.calls == 2
    assert upstream.remembered.at_hand("ann") == Got("ann2", 0.0, 60, "fresh", None, TAGS)


async def test_past_stale_s_a_newer_answer_is_waited_for() -> None:
    upstream = Upstream(Lifetime(60, 600, stale_s=30))
    await upstream.get()
    upstream.now_s += 90
    assert (await upstream.get()).value == "ann2"


async def test_on_failure_an_old_answer_stands_in_until_its_grace_ends() -> None:
    upstream = Upstream(Lifetime(60, 600))
    await upstream.get()
    upstream.failure = DOWN
    upstream.now_s += 659
    got = await upstream.get()
    assert (got.value, got.age_s, got.freshness, got.failure) == ("ann1", 659, "stale", DOWN)
    upstream.now_s += 1
    with pytest.raises(SourceUnavailable):
        await upstream.get()


async def test_a_failed_refresh_behind_is_not_begun_again_by_each_request() -> None:
    upstream = Upstream(Lifetime(60, 600, stale_s=30))
    await upstream.get()
    upstream.failure = DOWN
    upstream.now_s += 61
    for _ in range(10):
        assert (await upstream.get()).freshness == "refreshing"
        await settled()
    assert upstream.calls == 2


async def test_what_failed_is_not_asked_for_again_for_a_moment() -> None:
    upstream = Upstream(Lifetime(60, 600), retry_s=0.3)
    upstream.failure = SourceTimeout("catalogue", "late")
    for _ in range(10):
        with pytest.raises(SourceTimeout) as raised:
            await upstream.get()
        assert raised.value.source == "catalogue"
    assert upstream.calls == 1
    upstream.failure = None
    assert (await upstream.get("bob")).value == "bob2"
    upstream.now_s += 0.3
    assert (await upstream.get()).value == "ann3"


async def test_that_there_is_none_is_fresh_for_a_shorter_time() -> None:
    upstream = Upstream(Lifetime(60, 600, missing_s=10))
    upstream.missing = True
    assert (await upstream.get()).fresh_for_s == 10
    upstream.now_s += 9
    assert upstream.remembered.at_hand("ann")
    upstream.now_s += 1
    assert (await upstream.get()).value == "ann2"


async def test_the_slower_the_upstream_the_earlier_a_request_may_draw_a_refresh() -> None:
    for takes_s, draw, left_s, early in [
        (1.0, 0.0, 0.1, False),  # the usual draw: none goes ahead
        (1.0, 1 - 0.01, 5.0, False),  # -ln 0.01 is 4.6 durations
        (1.0, 1 - 0.01, 4.0, True),
        (0.1, 1 - 0.01, 4.0, False),
        (1.0, 1 - 2**-53, 36.0, True),  # the most extreme draw that there is
        (1.0, 1 - 2**-53, 37.0, False),
    ]:
        upstream = Upstream(Lifetime(60, 600))
        upstream.takes_s = takes_s
        await upstream.get()
        upstream.draw, upstream.now_s = draw, 1060 - left_s
        got = upstream.remembered.at_hand("ann") or await upstream.get()
        assert (got.value, got.freshness) == ("ann1", "fresh")
        await settled()
        assert (upstream.calls == 2) is early, (takes_s, draw, left_s)


async def test_a_soft_purge_ends_the_fresh_life_and_a_hard_one_the_answer() -> None:
    upstream = Upstream(Lifetime(60, 600, stale_s=30))
    await upstream.get()
    upstream.fences.put_up(["visitor:ann"], hard=False, now_s=upstream.now_s)
    upstream.now_s += 29
    assert upstream.remembered.at_hand("ann") is None
    assert await upstream.get() == Got("ann1", 29, 0.0, "refreshing", None, TAGS)
    await settled()
    assert (await upstream.get()).value == "ann2"
    upstream.failure = DOWN
    upstream.fences.put_up(["visitor:ann"], hard=True, now_s=upstream.now_s)
    assert upstream.remembered.at_hand("ann") is None
    with pytest.raises(SourceUnavailable):
        await upstream.get()


async def test_a_soft_purge_counts_from_when_it_was_not_from_when_it_was_noticed() -> None:
    upstream = Upstream(Lifetime(600, 600, stale_s=30))
    await upstream.get()
    upstream.fences.put_up(["visitor:ann"], hard=False, now_s=upstream.now_s)
    upstream.now_s += 31
    assert (await upstream.get()).value == "ann2"


async def test_a_purge_of_something_else_changes_nothing() -> None:
    upstream = Upstream(Lifetime(60, 600))
    await upstream.get()
    upstream.fences.put_up(["visitor:bob", "item:A"], hard=True, now_s=upstream.now_s)
    assert upstream.remembered.at_hand("ann") == Got("ann1", 0.0, 60, "fresh", None, TAGS)


async def test_entries_and_bytes_are_bounded_and_the_oldest_goes_first() -> None:
    upstream = Upstream(Lifetime(60, 600), max_entries=3)
    for key in "abcd":
        await upstream.get(key)
    assert [key for key in "abcd" if upstream.remembered.at_hand(key)] == ["b", "c", "d"]
    upstream = Upstream(Lifetime(60, 600), max_bytes=10_000)
    for number in range(100):
        await upstream.get(str(number))
        assert 0 < upstream.remembered.size_bytes <= 10_000
    assert upstream.remembered.at_hand("99")


async def test_sizes_are_about_what_memory_says() -> None:
    upstream = Upstream(Lifetime(60, 600), max_entries=10_000, max_bytes=10**9)

    def profile(number: int) -> Callable[[], Awaitable[Arrived[object]]]:
        async def fetch() -> Arrived[object]:
            traits = {f"t{n}": f"value {number} {n}" for n in range(10)} | {"set": frozenset((f"a{number}", "b"))}
            return Arrived(traits, (f"visitor:v{number}",))

        return fetch

    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(500):
        await upstream.remembered.get(f"v{number}", profile(number), ())
    await settled()
    really = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert 0.6 < upstream.remembered.size_bytes / really < 1.7
