"""Questions that come up at the same time: one call for each key, and everybody's own end."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tessera.adapters.together import Together
from tessera.renderer.breaker import MIN_CALLS
from tessera.renderer.calls import Calls, Manner
from tessera.renderer.core.errors import SourceError, SourceNotAsked, SourceTimeout, SourceUnavailable


@dataclass
class Upstream:
    """Answers questions by repeating them, when it is let; fails those that are said to fail."""

    failing: SourceError | None = None
    calls: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    ended: list[str] = field(default_factory=list)

    async def ask(self, key: str, questions: Sequence[str]) -> Sequence[str | SourceError]:
        self.calls.append((key, questions))
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.ended.append(key)
            raise
        if self.failing is not None:
            raise self.failing
        return [SourceUnavailable("items", each) if each == "bad" else f"{key}: {each}" for each in questions]


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_questions_of_one_turn_are_one_call_for_each_key() -> None:
    upstream = Upstream()
    upstream.open.set()
    together = Together(upstream.ask)
    asked = [("ann", "a"), ("bob", "a"), ("ann", "b"), ("ann", "a")]
    answers = await asyncio.gather(*(together.ask(*each) for each in asked))
    assert answers == ["ann: a", "bob: a", "ann: b", "ann: a"]
    assert upstream.calls == [("ann", ("a", "b")), ("bob", ("a",))]


async def test_a_question_that_comes_later_waits_for_nobody() -> None:
    upstream = Upstream()
    together = Together(upstream.ask)
    first = asyncio.ensure_future(together.ask("ann", "a"))
    await turns()
    upstream.open.set()
    assert await together.ask("ann", "b") == "ann: b"
    assert await first == "ann: a"
    assert upstream.calls == [("ann", ("a",)), ("ann", ("b",))]


async def test_one_who_stops_waiting_leaves_the_call_to_the_others() -> None:
    upstream = Upstream()
    together = Together(upstream.ask)
    first, second = (asyncio.ensure_future(together.ask("ann", each)) for each in "ab")
    await turns()
    first.cancel()
    await turns()
    upstream.open.set()
    assert await second == "ann: b"
    assert first.cancelled()
    assert upstream.ended == []


async def test_with_the_last_who_waits_the_call_ends() -> None:
    upstream = Upstream()
    together = Together(upstream.ask)
    waiting = [asyncio.ensure_future(together.ask("ann", each)) for each in "ab"]
    await turns()
    for each in waiting:
        each.cancel()
    await turns()
    assert upstream.ended == ["ann"]


async def test_nobody_joins_a_call_that_was_given_up_at_once() -> None:
    upstream = Upstream()
    upstream.open.set()
    together = Together(upstream.ask)
    first = asyncio.ensure_future(together.ask("ann", "a"))
    second: list[asyncio.Future[str]] = []

    def give_up() -> None:
        first.cancel()
        second.append(asyncio.ensure_future(together.ask("ann", "b")))

    asyncio.get_running_loop().call_soon(give_up)  # in the turn in which the first has asked
    await turns(1)
    assert await asyncio.wait_for(second[0], 1) == "ann: b"
    assert first.cancelled()


async def test_a_failure_is_that_of_its_question_alone() -> None:
    upstream = Upstream()
    upstream.open.set()
    together = Together(upstream.ask)
    answers = await asyncio.gather(*(together.ask("ann", each) for each in ("a", "bad", "b")), return_exceptions=True)
    assert [str(each) for each in answers] == ["ann: a", "items: bad", "ann: b"]
    assert isinstance(answers[1], SourceUnavailable)


async def test_a_call_that_fails_is_a_failure_of_each_who_waited() -> None:
    upstream = Upstream(SourceUnavailable("items", "down", 7.0))
    upstream.open.set()
    together, calls = Together(upstream.ask), Calls("items", 1000, Manner(), lambda: 0.0)
    failures = [
        each
        for each in await asyncio.gather(
            *(calls.run(lambda n=n: together.ask("ann", f"q{n}")) for n in range(MIN_CALLS)),  # type: ignore[misc]
            return_exceptions=True,
        )
        if isinstance(each, SourceUnavailable)
    ]
    assert [(str(each), each.retry_after_s) for each in failures] == [("items: down", 7.0)] * MIN_CALLS
    assert len(set(map(id, failures))) == MIN_CALLS
    assert len(upstream.calls) == 1


@pytest.mark.parametrize("failing", [True, False])
async def test_a_breaker_counts_what_was_asked_together_as_what_was_asked_one_by_one(failing: bool) -> None:
    upstream = Upstream(SourceUnavailable("items", "down") if failing else None)
    upstream.open.set()
    together, calls = Together(upstream.ask), Calls("items", 1000, Manner(breaker_share=1.0), lambda: 0.0)
    await asyncio.gather(
        *(calls.run(lambda n=n: together.ask("ann", f"q{n}")) for n in range(MIN_CALLS)),  # type: ignore[misc]
        return_exceptions=True,
    )
    assert calls.breaker.state == ("open" if failing else "closed")
    if failing:
        with pytest.raises(SourceNotAsked):
            await calls.run(lambda: together.ask("ann", "more"))


async def test_each_waits_within_a_deadline_of_its_own() -> None:
    upstream = Upstream()
    together = Together(upstream.ask)
    hasty, patient = Calls("items", 1, Manner()), Calls("items", 10_000, Manner())
    waiting = asyncio.ensure_future(patient.run(lambda: together.ask("ann", "a")))
    with pytest.raises(SourceTimeout):
        await hasty.run(lambda: together.ask("ann", "b"))
    upstream.open.set()
    assert await waiting == "ann: a"
    assert [(key, sorted(questions)) for key, questions in upstream.calls] == [("ann", ["a", "b"])]
