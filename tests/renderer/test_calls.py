"""Calls to one upstream: what is not asked, what is asked twice, and what counts as its failure."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tessera.renderer.breaker import MIN_CALLS
from tessera.renderer.calls import SAVED_HEDGES, Calls, Manner
from tessera.renderer.core.errors import (
    SourceError,
    SourceGarbled,
    SourceNotAsked,
    SourceTimeout,
    SourceTooLarge,
    SourceUnavailable,
)
from tessera.renderer.core.freshness import Lifetime
from tessera.renderer.fences import Fences
from tessera.renderer.remembered import Arrived, Remembered, Terms
from tests.support.loop_time import LoopTime

DOWN = SourceUnavailable


def still() -> float:
    """The clock of a breaker for which no time passes."""
    return 0.0


def asking(*results: object) -> tuple[list[int], Callable[[], Awaitable[object]]]:
    """Return a list that grows with each call, and the call: it gives the results in turn, the last again and again.

    A number is first waited for, in seconds, and an error is raised.
    """
    calls: list[int] = []

    async def ask() -> object:
        result = results[min(len(calls), len(results) - 1)]
        calls.append(1)
        if isinstance(result, float):
            await asyncio.sleep(result)
        if isinstance(result, SourceError):
            raise result.__class__(result.source, "failed")
        return result

    return calls, ask


async def fail(calls: Calls, ask: Callable[[], Awaitable[object]], times: int) -> set[type]:
    kinds: set[type] = set()
    for _ in range(times):
        with pytest.raises(SourceError) as raised:
            await calls.run(ask)
        kinds.add(type(raised.value))
    return kinds


@pytest.mark.parametrize("failure", [DOWN("profile", ""), SourceTimeout("profile", ""), SourceError("profile", "")])
async def test_an_upstream_that_fails_is_left_alone_and_nobody_waits(failure: SourceError) -> None:
    calls = Calls("profile", 100, Manner(), still)
    asked, ask = asking(failure)
    assert await fail(calls, ask, MIN_CALLS) == {type(failure)}
    assert await fail(calls, ask, 50) == {SourceNotAsked}
    assert len(asked) == MIN_CALLS


async def test_one_that_hangs_is_left_alone_as_well() -> None:
    calls = Calls("profile", 5, Manner(), still)
    _, ask = asking(10.0)
    await asyncio.gather(*(fail(calls, ask, 1) for _ in range(MIN_CALLS)))
    assert calls.breaker.state == "open"


async def test_what_is_garbled_is_an_answer() -> None:
    calls = Calls("profile", 100, Manner(), still)
    _, ask = asking(SourceGarbled("profile", ""))
    assert await fail(calls, ask, 3 * MIN_CALLS) == {SourceGarbled}


async def test_what_is_too_large_is_none_as_it_costs_too_much() -> None:
    calls = Calls("profile", 100, Manner(), still)
    _, ask = asking(SourceTooLarge("profile", ""))
    assert await fail(calls, ask, MIN_CALLS) == {SourceTooLarge}
    assert calls.breaker.state == "open"


async def test_retry_after_opens_it_at_once() -> None:
    calls = Calls("profile", 100, Manner(), still)

    async def busy() -> None:
        raise SourceUnavailable("profile", "busy", retry_after_s=30)

    assert await fail(calls, busy, 1) == {SourceUnavailable}
    assert await fail(calls, busy, 1) == {SourceNotAsked}


async def test_the_failure_of_one_upstream_is_not_counted_for_another_that_needs_it() -> None:
    lists, catalogue = Calls("items", 100, Manner(), still), Calls("catalogue", 100, Manner(), still)
    _, broken = asking(DOWN("catalogue", ""))
    assert await fail(lists, lambda: catalogue.run(broken), 3 * MIN_CALLS) == {SourceUnavailable, SourceNotAsked}
    assert (lists.breaker.state, catalogue.breaker.state) == ("closed", "open")


async def test_a_call_that_is_broken_off_does_not_block_the_probe() -> None:
    now_s = 0.0
    calls = Calls("profile", 10_000, Manner(), lambda: now_s)
    _, broken = asking(DOWN("profile", ""))
    await fail(calls, broken, MIN_CALLS)
    now_s = 2.0
    _, slow = asking(10.0)
    probe = asyncio.ensure_future(calls.run(slow))
    await asyncio.sleep(0)
    assert await fail(calls, slow, 1) == {SourceNotAsked}
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    _, good = asking("good")
    assert await calls.run(good) == "good"
    assert calls.breaker.state == "closed"


async def test_beyond_its_rate_an_upstream_is_not_asked_and_nobody_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    LoopTime(monkeypatch).stand_still()
    calls = Calls("profile", 10_000, Manner(max_per_s=5))
    asked, ask = asking("good")
    for _ in range(5):
        assert await calls.run(ask) == "good"
    async with asyncio.timeout(0):  # over as soon as anybody waits for anything
        assert await fail(calls, ask, 20) == {SourceNotAsked}
    assert len(asked) == 5
    assert calls.breaker.state == "closed"


async def test_a_rate_may_be_less_than_one_a_second() -> None:
    calls = Calls("profile", 100, Manner(max_per_s=0.1))
    asked, ask = asking("good")
    await calls.run(ask)
    assert await fail(calls, ask, 1) == {SourceNotAsked}
    assert len(asked) == 1


HEDGED = Manner(hedge_ms=5, hedge_share=0.1)


async def test_a_slow_call_is_made_a_second_time_and_the_first_answer_counts() -> None:
    calls = Calls("profile", 10_000, HEDGED)
    asked, ask = asking(60.0, "second")
    assert await calls.run(ask) == "second"
    assert len(asked) == 2


async def test_a_fast_one_is_not() -> None:
    calls = Calls("profile", 10_000, Manner(hedge_ms=5_000))
    asked, ask = asking("first")
    assert await calls.run(ask) == "first"
    assert len(asked) == 1


async def test_a_failure_counts_only_where_both_fail() -> None:
    calls = Calls("profile", 10_000, HEDGED)
    _, ask = asking(0.05, DOWN("profile", ""))
    assert await calls.run(ask) == 0.05
    _, ask = asking(DOWN("profile", ""))
    assert await fail(calls, ask, 1) == {SourceUnavailable}


async def test_second_calls_are_bounded_by_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    time = LoopTime(monkeypatch)
    time.stand_still()
    calls = Calls("profile", 15_000, Manner(breaker_share=1, hedge_ms=1, hedge_share=0.1), still)
    asked, ask = asking(60.0)
    await time.let_pass_until(asyncio.gather(*(fail(calls, ask, 1) for _ in range(200))))
    assert 200 + SAVED_HEDGES <= len(asked) <= 200 + SAVED_HEDGES + 200 * 0.1


async def test_the_deadline_holds_for_both() -> None:
    calls = Calls("profile", 20, HEDGED)
    _, ask = asking(60.0)
    async with asyncio.timeout(5):
        assert await fail(calls, ask, 1) == {SourceTimeout}
    assert len(asyncio.all_tasks()) == 1


async def test_who_is_not_asked_stands_in_at_once_and_is_asked_as_soon_as_that_may_be() -> None:
    now_s = 1000.0
    terms = Terms("profile", 100, Lifetime(1, 600), 100, 10**6, retry_s=60)
    remembered: Remembered[str, object] = Remembered(terms, Fences(), lambda: now_s, lambda: 0.0)
    fails = False

    async def fetch() -> Arrived[object]:
        if fails:
            raise SourceUnavailable("profile", "down")
        return Arrived("good", ("visitor:ann",))

    await remembered.get("ann", fetch, ())
    fails, now_s = True, 1005.0
    for number in range(MIN_CALLS):
        with pytest.raises(SourceUnavailable):
            await remembered.get(str(number), fetch, ())
    got = await remembered.get("ann", fetch, ())
    assert (got.value, got.freshness) == ("good", "stale")
    assert isinstance(got.failure, SourceNotAsked)
    fails, now_s = False, 1007.0
    assert (await remembered.get("ann", fetch, ())).freshness == "fresh"
