"""The clock of an event loop, which a test sets ahead: what only waits for time to pass is over at once.

What has to happen before a deadline has all the real time it needs, however busy the machine.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest


class LoopTime:
    """The clock of the loop that runs now: the real one, and as much as was let pass beside."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._real: Callable[[], float] = loop.time
        self._beside_s = 0.0
        monkeypatch.setattr(loop, "time", lambda: self._real() + self._beside_s)

    def stand_still(self) -> None:
        """Have no time pass from now on but what is let pass."""
        now_s = self._real()
        self._real = lambda: now_s

    def let_pass(self, seconds: float) -> None:
        """Have so many seconds gone by: whatever was to happen within them is due."""
        self._beside_s += seconds

    async def let_pass_until(self, done: "asyncio.Future[Any]") -> float:
        """Let a second pass in each turn of the loop until something is done; return how many that were."""
        before_s = self._beside_s
        while not done.done():
            self.let_pass(1.0)
            await asyncio.sleep(0)
        return self._beside_s - before_s
