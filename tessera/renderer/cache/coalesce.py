"""Single flight: concurrent calls for one key share one piece of work."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """Work in flight, by key. One caller's cancellation does not take the work from the others."""

    def __init__(self) -> None:
        self._flights: dict[K, asyncio.Task[V]] = {}

    def is_under_way(self, key: K) -> bool:
        """Tell whether somebody has begun the work for a key, and has not ended it."""
        return key in self._flights

    async def run(self, key: K, work: Callable[[], Awaitable[V]]) -> V:
        """Return what ``work`` returns or raises, starting it only if the key is not already in flight."""
        return await asyncio.shield(self.start(key, work))

    def start(self, key: K, work: Callable[[], Awaitable[V]]) -> "asyncio.Task[V]":
        """Return the work in flight for the key, started now if need be. Whoever awaits it is to shield it."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.ensure_future(_awaited(work))
            flight.add_done_callback(lambda done: self._landed(key, done))
        return flight

    def _landed(self, key: K, flight: asyncio.Task[V]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # retrieved here, so that one nobody waited for is not reported as lost


async def _awaited(work: Callable[[], Awaitable[V]]) -> V:
    return await work()
