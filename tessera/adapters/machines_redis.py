"""Which machines serve a site, and how far each is, in Redis or Valkey: a set of names, and a key of each that expires.

A machine that has said nothing for `GONE_S` is taken for gone.
"""

from collections.abc import Mapping
from typing import cast

from tessera.adapters.redis import SharedRedis

GONE_S = 60


class RedisMachines:
    """The machines of one site, by the key of their set. Everything raises `Away` where Redis cannot be had."""

    def __init__(self, redis: SharedRedis, key: str) -> None:
        self._redis = redis
        self._key = key

    async def say(self, name: str, body: str) -> None:
        """Say of a machine that it lives, and how far it is."""
        await self._redis.run([("SADD", self._key, name), ("SET", f"{self._key}:{name}", body, "EX", GONE_S)])

    async def leave(self, name: str) -> None:
        """Take a machine away."""
        await self._redis.run([("SREM", self._key, name), ("DEL", f"{self._key}:{name}")])

    async def all(self) -> Mapping[str, bytes]:
        """Return what each machine that lives said last, by name; forgets those that are gone."""
        (found,) = await self._redis.run([("SMEMBERS", self._key)])
        names = sorted(name.decode() for name in cast(set[bytes], found))
        if not names:
            return {}
        (bodies,) = await self._redis.run([("MGET", *(f"{self._key}:{name}" for name in names))])
        said = dict(zip(names, cast(list[bytes | None], bodies), strict=True))
        gone = [name for name, body in said.items() if body is None]
        if gone:
            await self._redis.run([("SREM", self._key, *gone)])
        return {name: body for name, body in said.items() if body is not None}
