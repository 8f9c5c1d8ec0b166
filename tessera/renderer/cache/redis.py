"""The second level of the fragment cache: what processes on several machines share, in Redis (7 or newer) or Valkey.

A fragment is looked up and claimed by one command, `SET key "" NX GET`: it answers with the fragment, with the empty
string while another process renders it, or with nothing, which leaves the key claimed by whoever asked.

**Purges.** One hash holds a unique name for the last purge of each tag, and one for the hash itself. A fragment is
stored under a stamp of those that concern it, read when it was claimed, before it was rendered; it is found only while
they are the same. So a purge is one command however many fragments it concerns, and what was rendered before it but is
stored after it is never found. If Redis drops the hash, whatever was stored under it is gone with it.
"""

import asyncio
from secrets import token_bytes

from tessera.renderer.cache.background import Background
from tessera.renderer.cache.base import Claim, Command, Connection
from tessera.renderer.cache.packed import pack, stamp_of, unpack
from tessera.renderer.core.errors import Away
from tessera.renderer.core.tags import EVERYTHING, Tag

FORMAT = 1
"""Goes up when what is stored, or what a key is made of, changes: two versions side by side never read each other's."""

PREFIX = b"tessera:%d:" % FORMAT
PURGES = PREFIX + b"purges"
SELF = b""
MAX_TAGS = 10_000
"""Purged tags that are remembered; with more, the hash is begun anew and everything in it is forgotten."""

CLAIM_MS = 200
"""For how long a claim holds, should its holder never keep or give up what it claimed."""

POLL_S = 0.004
POLLS = 5
"""How often, and how many times, one looks whether another process is done, before rendering as well."""

MAX_WAITING = 2_000
WRITES_AT_ONCE = 50
RENDERED_ELSEWHERE = b""


class RedisFragments:
    """Implements `SharedFragments`. All look-ups of one turn of the event loop, as a page's are, are one round trip."""

    def __init__(self, redis: Connection, idle_s: float) -> None:
        """``idle_s`` is for how long a fragment that nobody asks for is kept."""
        self._redis = redis
        self._idle_ms = int(idle_s * 1000)
        self._asked: list[tuple[bytes, tuple[Tag, ...], asyncio.Future[tuple[object, bytes]]]] = []
        self._to_write: list[Command] = []
        self._writing = False
        self._background = Background()

    @property
    def away(self) -> bool:
        """Tell whether it failed a moment ago, so that nothing is asked now."""
        return self._redis.away

    async def claim(self, key: bytes, tags: tuple[Tag, ...]) -> Claim:
        """Look a key up; where another process renders it, wait up to `POLLS` times `POLL_S`. Raises `Away`."""
        for _ in range(POLLS):
            stored, stamp = await self._looked_up(key, tags)
            if stored == RENDERED_ELSEWHERE:
                await asyncio.sleep(POLL_S)
                continue
            body = unpack(key, stamp, stored) if isinstance(stored, bytes) else None
            if body is not None:
                self._write(("PEXPIRE", PREFIX + key, self._idle_ms))
            return Claim(body, stamp)
        return Claim(None, stamp)

    def keep(self, key: bytes, claim: Claim, body: bytes) -> None:
        """Store what was rendered for a claim, later; dropped where Redis does not keep up."""
        self._write(("SET", PREFIX + key, pack(key, claim.stamp, body), "PX", self._idle_ms))

    def give_up(self, key: bytes) -> None:
        """Say, later, that a claimed key is not going to be kept."""
        self._write(("DEL", PREFIX + key))

    async def purge(self, tags: frozenset[Tag]) -> None:
        """Return once nothing with one of the tags, as it was until now, will be found. Raises `Away`."""
        if EVERYTHING not in tags:
            name = token_bytes(8)
            named = [part for tag in sorted(tags) for part in (tag, name)]
            _, known = await self._redis.run([("HSET", PURGES, *named), ("HLEN", PURGES)])
            if isinstance(known, int) and known <= MAX_TAGS:
                return
        await self._redis.run([("DEL", PURGES)])

    async def close(self) -> None:
        """Store what is still to be stored, and end."""
        await self._background.close()

    async def _looked_up(self, key: bytes, tags: tuple[Tag, ...]) -> tuple[object, bytes]:
        """Return what is stored under a key, and the stamp of the purges that concern it."""
        if not self._asked:
            asyncio.get_running_loop().call_soon(lambda: self._background.start(self._look_up()))
        found: asyncio.Future[tuple[object, bytes]] = asyncio.get_running_loop().create_future()
        self._asked.append((key, tags, found))
        return await found

    async def _look_up(self) -> None:
        asked, self._asked = self._asked, []
        tags = sorted({tag for _, of_key, _ in asked for tag in of_key})
        claims = [("SET", PREFIX + key, RENDERED_ELSEWHERE, "NX", "GET", "PX", CLAIM_MS) for key, _, _ in asked]
        try:
            _, purges, *stored = await self._redis.run(
                [("HSETNX", PURGES, SELF, token_bytes(8)), ("HMGET", PURGES, SELF, *tags), *claims]
            )
        except Away as failure:
            for _, _, found in asked:
                if not found.done():
                    found.set_exception(Away(str(failure)))
            return
        assert isinstance(purges, list)
        itself, names = purges[0], dict(zip(tags, purges[1:], strict=True))
        for (_, of_key, found), each in zip(asked, stored, strict=True):
            if not found.done():
                found.set_result((each, stamp_of([itself, *(names[tag] for tag in of_key)])))

    def _write(self, command: Command) -> None:
        if len(self._to_write) < MAX_WAITING:
            self._to_write.append(command)
        if not self._writing:
            self._writing = True
            self._background.start(self._write_all())

    async def _write_all(self) -> None:
        try:
            while self._to_write:
                now, self._to_write = self._to_write[:WRITES_AT_ONCE], self._to_write[WRITES_AT_ONCE:]
                await self._redis.run(now)
        except Away:
            self._to_write.clear()
        finally:
            self._writing = False
