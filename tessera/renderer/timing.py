"""How long the stages of one request take. Most requests are not timed: that would cost as much as deciding them."""

import time
from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

Stage = Literal["understand", "at_hand", "gather", "decide", "cache", "render"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""In the order in which they come. What is `at_hand` is decided and found in one go, or the others follow."""


class Lap(NamedTuple):
    """One stretch of a stage, in seconds on the clock of its timing."""

    stage: Stage
    began_s: float
    ended_s: float


class Timing:
    """The stages of a request that have been, in order. Those of a page's slots overlap."""

    __slots__ = ("_clock", "_last_s", "began_s", "laps")

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """``clock`` gives seconds and is never set back."""
        self._clock = clock
        self.laps: list[Lap] = []
        self.began_s = self._last_s = clock()

    def lap(self, stage: Stage) -> None:
        """Say that everything since the last lap belongs to a stage."""
        now_s = self._clock()
        self.laps.append(Lap(stage, self._last_s, now_s))
        self._last_s = now_s

    def branch(self) -> "Timing":
        """Return one that adds to the same laps, for something that goes on beside others from now."""
        branch = Timing(self._clock)
        branch.laps = self.laps
        return branch

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self.began_s

    def seconds(self) -> dict[Stage, float]:
        """Return how long each stage took in all."""
        taken: dict[Stage, float] = {}
        for stage, began_s, ended_s in self.laps:
            taken[stage] = taken.get(stage, 0.0) + ended_s - began_s
        return taken

    def header(self) -> tuple[bytes, bytes]:
        """Return it as `Server-Timing` (W3C, Server Timing), in milliseconds."""
        told = [f"{stage};dur={seconds * 1000:.3f}" for stage, seconds in self.seconds().items()]
        return b"server-timing", ", ".join([*told, f"total;dur={self.elapsed_s * 1000:.3f}"]).encode()
