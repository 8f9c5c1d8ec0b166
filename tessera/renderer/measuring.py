"""What is counted of each request, and timed of a sample of them. A warm request pays 0.3 µs for it."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

from tessera.renderer.tally import (
    AGE_S,
    IN_FLIGHT,
    MISFITS,
    REQUEST_S,
    REQUESTS,
    REQUESTS_OTHERWISE,
    ROUTES,
    STAGE_S,
    Tally,
)
from tessera.renderer.timing import Timing

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TIMED_EVERY = 64
"""Of so many requests one is timed, stage by stage, as timing costs as much as deciding."""

ANY_ROUTE = "other"
NO_SCOPE: Mapping[str, Any] = {}
TIMING = "tessera.timing"
"""The key in a request's scope of its timing, where somebody before the front wants it."""


class Measuring:
    """Counts and times what the front answers, and knows when that is too much at a time."""

    def __init__(self, tally: Tally, max_in_flight: int, *, tells: bool = False, times_all: bool = False) -> None:
        """Beyond ``max_in_flight`` requests that are waited for, load is to be shed.

        With ``tells`` every request is timed, and told of it by `Server-Timing`; with ``times_all`` it is timed only.
        """
        self.tells = tells
        self.cells = tally.cells
        self._tally = tally
        self._max_in_flight = max_in_flight
        self._every = 1 if tells or times_all else TIMED_EVERY
        self._until_timed = self._every

    def timing(self, scope: Mapping[str, Any] = NO_SCOPE) -> Timing | None:
        """Begin to time a request, if it is one of the sample. ``scope`` is its own, where it has one already."""
        self._until_timed -= 1
        if self._until_timed:
            return None
        self._until_timed = self._every
        return scope.get(TIMING) or Timing()

    def observe(self, route: str, timing: Timing) -> None:
        """Count how long a request that was timed took, in all and in each of its stages."""
        self._tally.observe(REQUEST_S, route, timing.elapsed_s)
        for stage, seconds in timing.seconds().items():
            self._tally.observe(STAGE_S, stage, seconds)

    def observe_inputs(self, ages: Iterable[tuple[str, float]], misfits: int) -> None:
        """Count how old the inputs of one that is timed were: source and seconds."""
        for source, age_s in ages:
            self._tally.observe(AGE_S, source, age_s)
        self.cells[MISFITS] += misfits

    def count(self, route: str, status: int) -> None:
        """Count an answer. ``route`` is one of `ROUTES`."""
        self.cells[REQUESTS[route].get(status, REQUESTS_OTHERWISE[route])] += 1

    def counting(self, route: str, send: Send) -> Send:
        """Return what counts an answer when it is sent, whoever makes it."""
        known = route if route in ROUTES else ANY_ROUTE

        async def counted(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.count(known, message["status"])
            await send(message)

        return counted

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count a request as one that is being answered, as long as the block takes."""
        self.cells[IN_FLIGHT] += 1
        try:
            yield
        finally:
            self.cells[IN_FLIGHT] -= 1

    @property
    def overloaded(self) -> bool:
        """Tell whether there are too many, the one that asks among them."""
        return self.cells[IN_FLIGHT] > self._max_in_flight
