"""Who is suppressed, in a Redis or Valkey that machines share: where one that is new learns what was told before."""

from collections.abc import Collection
from typing import cast

from tessera.adapters.redis import SharedRedis
from tessera.renderer.core.tags import Tag


class RedisSuppressed:
    """A set, by its key. Everything raises `Away` where Redis cannot be had."""

    def __init__(self, redis: SharedRedis, key: str) -> None:
        self._redis = redis
        self._key = key

    async def all(self) -> frozenset[Tag]:
        """Return the tags of all who are suppressed."""
        (found,) = await self._redis.run([("SMEMBERS", self._key)])
        return frozenset(tag.decode() for tag in cast(Collection[bytes], found))

    async def put(self, tags: Collection[Tag]) -> None:
        """Keep tags; those that are kept already stay."""
        if tags:
            await self._redis.run([("SADD", self._key, *tags)])

    async def drop(self, tags: Collection[Tag]) -> None:
        """Keep tags no longer."""
        if tags:
            await self._redis.run([("SREM", self._key, *tags)])
