"""The calls to one upstream: within a deadline, as many as it may be asked, and none while it is left alone.

An upstream that hangs or fails costs those who need it a stand-in or the next rung at once, instead of a wait each.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from aiolimiter import AsyncLimiter

from tessera.renderer.breaker import Breaker
from tessera.renderer.core.errors import SourceError, SourceNotAsked, SourceTimeout, SourceUnavailable

V = TypeVar("V")
Ask = Callable[[], Awaitable[V]]

SAVED_HEDGES = 10.0
"""Second calls that a calm time can save up for a bad one."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How one upstream is asked.

    It is left alone for ``breaker_s`` seconds where a ``breaker_share`` in (0, 1] of the calls of as many seconds
    failed. It is asked at most ``max_per_s`` times a second, if that is set. After ``hedge_ms`` without an answer, if
    that is set, it is asked a second time, which happens for a ``hedge_share`` of calls at most.
    """

    breaker_share: float = 0.5
    breaker_s: float = 2.0
    max_per_s: float | None = None
    hedge_ms: float | None = None
    hedge_share: float = 0.05


class Calls:
    """Makes the calls, for whoever needs an answer."""

    def __init__(
        self, source: str, deadline_ms: float, manner: Manner, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``clock`` gives seconds and is never set back."""
        self.breaker = Breaker(source, manner.breaker_share, manner.breaker_s, clock)
        self._source = source
        self._deadline_ms = deadline_ms
        self._manner = manner
        self._limiter = _limiter(manner.max_per_s) if manner.max_per_s is not None else None
        self._hedges = SAVED_HEDGES

    async def run(self, ask: Ask[V]) -> V:
        """Return what ``ask`` returns, in time. Raises `SourceError`, at once where it is not to be asked."""
        if not self._may_ask():
            raise SourceNotAsked(self._source, "it is asked as often as it may be")
        turn = self.breaker.begin()
        if turn is None:
            raise SourceNotAsked(self._source, "it is left alone for a moment, as it failed")
        failed, retry_after_s = None, None
        try:
            await self._count()
            async with asyncio.timeout(self._deadline_ms / 1000):
                answer = await (ask() if self._manner.hedge_ms is None else self._hedged(ask, self._manner.hedge_ms))
            failed = False
        except TimeoutError as late:
            failed = True
            timeout = SourceTimeout(self._source, f"no answer in {self._deadline_ms:g} ms")
            timeout.counted = True
            raise timeout from late
        except SourceError as failure:
            failed = failure.costly and not failure.counted
            if failed and isinstance(failure, SourceUnavailable):
                retry_after_s = failure.retry_after_s
            failure.counted = True
            raise
        finally:
            self.breaker.end(turn, failed, retry_after_s)
        return answer

    def _may_ask(self) -> bool:
        return self._limiter is None or self._limiter.has_capacity()

    async def _count(self) -> None:
        """Count a call against the limit. Does not wait: there is room."""
        if self._limiter is not None:
            await self._limiter.acquire()

    async def _hedged(self, ask: Ask[V], hedge_ms: float) -> V:
        """Ask, and ask once more where that takes long; the first answer counts.

        After Dean and Barroso, "The Tail at Scale" (Communications of the ACM, 2013), "Hedged requests". A failure
        counts only where the other call has failed as well.
        """
        self._hedges = min(SAVED_HEDGES, self._hedges + self._manner.hedge_share)
        calls = {asyncio.ensure_future(_awaited(ask))}
        try:
            done, _ = await asyncio.wait(calls, timeout=hedge_ms / 1000)
            if not done and self._hedges >= 1 and self._may_ask():
                self._hedges -= 1
                await self._count()
                calls.add(asyncio.ensure_future(_awaited(ask)))
            waiting = set(calls)
            while True:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for call in done:
                    if call.exception() is None or not waiting:
                        return call.result()
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)


def _limiter(max_per_s: float) -> AsyncLimiter:
    """A bucket of one second, or of one call where that takes longer."""
    at_once = max(1.0, max_per_s)
    return AsyncLimiter(at_once, at_once / max_per_s)


async def _awaited(ask: Ask[V]) -> V:
    return await ask()
