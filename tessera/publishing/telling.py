"""Telling all who serve a site what happened: the processes of this machine, other machines, and those downstream."""

import asyncio
from typing import NamedTuple

from tessera.adapters.redis import SharedRedis
from tessera.adapters.stream_redis import RedisStream
from tessera.publishing.bridge import Bridge
from tessera.publishing.switchboard import Switchboard
from tessera.renderer.core.errors import Away
from tessera.renderer.core.notices import Notice
from tessera.renderer.core.ports import Downstream
from tessera.renderer.noticeboard import Noticeboard
from tessera.renderer.settings import Settings


class Told(NamedTuple):
    """The number of a notice on this machine, and whether other machines will have to wait for Redis."""

    number: int
    redis_is_away: bool = False


class NobodyDownstream:
    """Implements `Downstream` where there is nobody to tell."""

    async def purge(self, tags: frozenset[str]) -> None:
        """Do nothing."""


def tell(settings: Settings, notice: Notice, downstream: Downstream) -> Told:
    """Put up a notice. When this returns, no request that comes to this machine is answered as if it were not up.

    Raises OSError where it cannot be put up.
    """
    return asyncio.run(_tell(settings, notice, downstream))


def make_bridge(settings: Settings, board: Noticeboard, redis: SharedRedis) -> Bridge:
    """Make the bridge between this machine and others that serve a site of the same name."""
    switchboard = Switchboard(settings.server.state_dir / "switches.json")
    return Bridge(board, RedisStream(redis, f"tessera:{settings.site.name}:notices"), switchboard)


async def _tell(settings: Settings, notice: Notice, downstream: Downstream) -> Told:
    board = Noticeboard(settings.server.state_dir)
    try:
        told = Told(board.append(notice)) if settings.redis.url is None else await _across(settings, board, notice)
        if notice.kind == "purge":
            await downstream.purge(frozenset(notice.tags))
        return told
    finally:
        board.close()


async def _across(settings: Settings, board: Noticeboard, notice: Notice) -> Told:
    """Put up a notice and carry it to other machines, unless a server here will do that at once."""
    assert settings.redis.url is not None
    redis = SharedRedis(settings.redis.url, settings.redis.deadline_ms)
    bridge = make_bridge(settings, board, redis)
    try:
        async with bridge.held() as held:
            if held:
                bridge.begin()
            number = board.append(notice)
            if held:
                await bridge.exchange()
        return Told(number)
    except Away:
        return Told(number, redis_is_away=True)
    finally:
        await redis.close()
