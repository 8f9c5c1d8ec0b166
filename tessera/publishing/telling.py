"""Telling all who serve a site what happened: the processes of this machine, and other machines."""

import asyncio
from typing import NamedTuple

from tessera.adapters.machines_redis import RedisMachines
from tessera.adapters.redis import SharedRedis
from tessera.adapters.sqlite import STORE
from tessera.adapters.stream_redis import RedisStream
from tessera.adapters.suppressed_redis import RedisSuppressed
from tessera.adapters.suppressed_sqlite import SqliteSuppressed
from tessera.publishing.bridge import Bridge
from tessera.publishing.rollcall import RollCall
from tessera.publishing.suppressions import Suppressions
from tessera.publishing.switchboard import Switchboard
from tessera.renderer.core.errors import Away
from tessera.renderer.core.notices import Notice
from tessera.renderer.noticeboard import Noticeboard
from tessera.renderer.settings import Settings


class Told(NamedTuple):
    """The number of a notice on this machine, and whether other machines will have to wait for Redis."""

    number: int
    redis_is_away: bool = False


def tell(settings: Settings, notice: Notice) -> Told:
    """Put up a notice. When this returns, no request that comes to this machine is answered as if it were not up.

    Raises OSError where it cannot be put up.
    """

    async def told() -> Told:
        board = Noticeboard(settings.server.state_dir)
        try:
            return await put_up(settings, board, notice)
        finally:
            board.close()

    return asyncio.run(told())


def make_bridge(settings: Settings, board: Noticeboard, redis: SharedRedis) -> Bridge:
    """Make the bridge between this machine and others that serve a site of the same name."""
    switchboard = Switchboard(settings.server.state_dir / "switches.json")
    stream = RedisStream(redis, f"tessera:{settings.site.name}:notices")
    suppressions = Suppressions(
        SqliteSuppressed(settings.server.state_dir / STORE),
        RedisSuppressed(redis, f"tessera:{settings.site.name}:suppressed"),
    )
    return Bridge(board, stream, switchboard, make_roll_call(settings, board, redis), suppressions)


def make_roll_call(settings: Settings, board: Noticeboard, redis: SharedRedis) -> RollCall:
    """Make what knows the machines that serve a site of the same name."""
    return RollCall(board, RedisMachines(redis, f"tessera:{settings.site.name}:machines"))


async def late_machines(settings: Settings, board: Noticeboard, number: int, within_s: float) -> list[str]:
    """Wait until other machines have obeyed a notice; return the hosts that have not. Raises `Away`."""
    if settings.redis.url is None:
        return []
    redis = SharedRedis(settings.redis.url, settings.redis.deadline_ms)
    try:
        return await make_roll_call(settings, board, redis).late(number, within_s)
    finally:
        await redis.close()


async def put_up(settings: Settings, board: Noticeboard, notice: Notice) -> Told:
    """Put up a notice and carry it to other machines, unless a server here will do that at once. Raises OSError."""
    if settings.redis.url is None:
        return Told(await asyncio.to_thread(board.append, notice))
    redis = SharedRedis(settings.redis.url, settings.redis.deadline_ms)
    bridge = make_bridge(settings, board, redis)
    try:
        with bridge.held() as held:
            if held:
                bridge.begin()
            number = await asyncio.to_thread(board.append, notice)
            if held:
                await bridge.exchange()
            else:
                return Told(number, not await bridge.has_told(number))
        return Told(number)
    except Away:
        return Told(number, redis_is_away=True)
    finally:
        await redis.close()
