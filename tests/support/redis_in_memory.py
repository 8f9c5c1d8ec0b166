"""As much of Redis as the second level of the fragment cache speaks, in memory, for histories that are drawn by lot."""

import asyncio
from collections.abc import Mapping, Sequence

from tessera.renderer.cache.base import Command
from tessera.renderer.core.errors import Away

TURNS = 2
"""Turns of the event loop that a round trip takes."""


class RedisInMemory:
    """Implements `Connection` for as many processes as there are. Nothing in it expires."""

    def __init__(self) -> None:
        self.away = False
        self._texts: dict[bytes, bytes] = {}
        self._hashes: dict[bytes, dict[bytes, bytes]] = {}

    async def run(self, commands: Sequence[Command]) -> list[object]:
        """Answer as Redis does, or raise `Away`; what was sent before it went away may have been done or not."""
        await self._pass()
        answers = [self._answer(*(_raw(part) for part in command)) for command in commands]
        await self._pass()
        return answers

    async def _pass(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        if self.away:
            raise Away("redis is away")

    def _answer(self, name: bytes, key: bytes, *rest: bytes) -> object:
        of_key: Mapping[bytes, bytes] = self._hashes.get(key, {})
        match name:
            case b"SET" if b"NX" in rest:
                held = self._texts.get(key)
                self._texts.setdefault(key, rest[0])
                return held
            case b"SET":
                self._texts[key] = rest[0]
                return b"OK"
            case b"HSETNX":
                self._hashes.setdefault(key, {}).setdefault(rest[0], rest[1])
                return 1
            case b"HSET":
                self._hashes.setdefault(key, {}).update(zip(rest[::2], rest[1::2], strict=True))
                return len(rest) // 2
            case b"HMGET":
                return [of_key.get(field) for field in rest]
            case b"HLEN":
                return len(of_key)
            case b"DEL":
                self._hashes.pop(key, None)
                return int(self._texts.pop(key, None) is not None)
            case b"PEXPIRE":
                return int(key in self._texts)
        raise AssertionError(f"{name!r} is not spoken here")


def _raw(part: str | bytes | int | float) -> bytes:
    return part if isinstance(part, bytes) else str(part).encode()
