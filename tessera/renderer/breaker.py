"""A circuit breaker: leaves an upstream alone that fails too often, and tries it with one call at a time.

The pattern is Nygard's (Release It!, 2nd edition, "Circuit Breaker"). Closed, all calls go through and are counted;
open, none does; once it has been open long enough, one call probes, and its end closes the breaker or opens it anew.
"""

import logging
from collections import deque
from collections.abc import Callable
from typing import Literal

MIN_CALLS = 10
"""Fewer calls in a window say nothing about an upstream."""

MAX_RETRY_AFTER_S = 60.0
"""For how long an upstream is left alone, at most, because it says so."""

SLICES = 10
"""Parts of a window: a call is forgotten within a tenth of the window after its time."""

State = Literal["closed", "open", "half-open"]
log = logging.getLogger("tessera")


class Breaker:
    """The breaker of one upstream. What happened before it last opened or closed counts no longer."""

    def __init__(self, source: str, share: float, rest_s: float, clock: Callable[[], float]) -> None:
        """Open for ``rest_s`` seconds where a ``share`` in (0, 1] of the calls of as many seconds before it failed."""
        self._source = source
        self._share = share
        self._rest_s = rest_s
        self._clock = clock
        self._turn = 0
        self._open_until: float | None = None
        self._probing = False
        self._window: deque[tuple[int, int, int]] = deque()

    @property
    def state(self) -> State:
        """Whether calls go through: all, none, or one."""
        if self._open_until is None:
            return "closed"
        return "half-open" if self._probing or self._clock() >= self._open_until else "open"

    def begin(self) -> int | None:
        """Return the turn of a call that may be made, for `end`; None where none may be made now."""
        if self._open_until is not None:
            if self._probing or self._clock() < self._open_until:
                return None
            self._probing = True
        return self._turn

    def end(self, turn: int, failed: bool | None, retry_after_s: float | None = None) -> None:
        """Note how a call ended; None where it was broken off and says nothing.

        ``retry_after_s`` is for how many seconds the upstream wants to be left alone (RFC 9110, section 10.2.3).
        """
        if turn != self._turn:
            return  # it began before the breaker opened or closed
        if retry_after_s is not None:
            self._open(min(retry_after_s, MAX_RETRY_AFTER_S), "as it says so itself")
        elif self._probing:
            self._probing = False
            if failed:
                self._open(self._rest_s)
            elif failed is not None:
                self._close()
        elif failed is not None and self._share_with(failed) >= self._share:
            self._open(self._rest_s, "as too many calls failed")

    def _open(self, rest_s: float, why: str | None = None) -> None:
        self._turn += 1
        self._probing = False
        self._open_until = self._clock() + rest_s
        self._window.clear()
        if why is not None:
            log.warning("%s is left alone for %g s, %s", self._source, rest_s, why)

    def _close(self) -> None:
        self._turn += 1
        self._open_until = None
        log.warning("%s answers again", self._source)

    def _share_with(self, failed: bool) -> float:
        """Count a call; return the share that failed of those in the window, 0 where they are too few."""
        window, now = self._window, int(self._clock() / self._rest_s * SLICES)
        while window and window[0][0] <= now - SLICES:
            window.popleft()
        _, calls, failures = window.pop() if window and window[-1][0] == now else (now, 0, 0)
        window.append((now, calls + 1, failures + failed))
        if not failed:
            return 0.0
        calls = sum(each[1] for each in window)
        return sum(each[2] for each in window) / calls if calls >= MIN_CALLS else 0.0
