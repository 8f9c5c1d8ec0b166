"""A stream in Redis or Valkey, by which machines tell one another notices (redis.io/docs, "Redis Streams").

Who has read up to an entry, and finds that entry still there, has missed nothing: a stream is trimmed from its oldest
end, and one that was emptied, or went back to an older copy, does not have it.
"""

from collections.abc import Sequence
from typing import Any, cast

from tessera.adapters.redis import SharedRedis

LENGTH = 10_000
"""Entries that the stream keeps, about."""

BATCH = 1000
FIELD = b"notice"

Entries = list[tuple[bytes, bytes]]
"""Ids of entries and what they say, the oldest first."""


class RedisStream:
    """One stream, by its key. Everything raises `Away` where Redis cannot be had."""

    def __init__(self, redis: SharedRedis, key: str) -> None:
        self._redis = redis
        self._key = key

    async def send(self, bodies: Sequence[str]) -> bytes:
        """Add entries in this order, and return the id of the last. There must be one."""
        answers = await self._redis.run(
            [("XADD", self._key, "MAXLEN", "~", LENGTH, "*", FIELD, body) for body in bodies]
        )
        return cast(bytes, answers[-1])

    async def after(self, place: bytes) -> Entries | None:
        """Return the entries after the one of this id, some at a time; None where that one is not there any more.

        It is looked for last, so that none can have been trimmed between the two.
        """
        found, own = await self._redis.run(
            [
                ("XRANGE", self._key, b"(" + place, "+", "COUNT", BATCH),
                ("XRANGE", self._key, place, place),
            ]
        )
        return _entries(found) if own else None

    async def goes_back_beyond(self, place: bytes) -> bool:
        """Tell whether it has entries before this id: if it lacks that one, it is an older copy and was not trimmed."""
        (found,) = await self._redis.run([("XRANGE", self._key, "-", b"(" + place, "COUNT", 1)])
        return bool(found)


def _entries(found: Any) -> Entries:
    told = ((name, dict(zip(fields[::2], fields[1::2], strict=True))) for name, fields in found)
    return [(name, fields[FIELD]) for name, fields in told if FIELD in fields]
