"""One Redis or Valkey that processes share. Whatever fails there, each process goes on alone."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tessera.renderer.core.errors import Away

if TYPE_CHECKING:
    from redis.asyncio import Redis

Command = Sequence[str | bytes | int | float]


def connect(url: str, timeout_s: float) -> "Redis":
    """Return a client that tries nothing twice, and gives answers as they come: as bytes."""
    from redis.asyncio import Redis  # a tenth of a second, which a server without one need not wait at its start
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    client = Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        protocol=3,
    )
    client.response_callbacks.clear()  # they guess from a command's name what its answer means
    return client


class SharedRedis:
    """Redis within a deadline. After a failure it is left alone for a moment, so that its absence costs nothing."""

    def __init__(
        self, url: str, deadline_ms: float, retry_s: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``clock`` gives seconds; ``retry_s`` is how long after a failure nothing is asked."""
        from redis.exceptions import RedisError

        self.client = connect(url, deadline_ms / 1000)
        self._failures = RedisError, OSError, TimeoutError
        self._retry_s = retry_s
        self._clock = clock
        self._away_until = -float("inf")

    @property
    def away(self) -> bool:
        """Tell whether it failed a moment ago, so that nothing is asked now."""
        return self._clock() < self._away_until

    async def run(self, commands: Sequence[Command]) -> list[object]:
        """Send commands in one round trip and return their answers, as bytes, in order. Raises `Away`."""
        if self.away:
            raise Away("redis failed a moment ago")
        try:
            async with self.client.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                answers: list[object] = await pipeline.execute()
        except self._failures as failure:
            self._away_until = self._clock() + self._retry_s
            raise Away(f"redis: {type(failure).__name__}") from failure
        return answers

    async def close(self) -> None:
        """Close its connections."""
        await self.client.aclose()
