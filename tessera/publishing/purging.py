"""A purge as a whole: put up, obeyed by all workers, told to other machines and downstream, and recorded."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from tessera.publishing.audit import record
from tessera.publishing.carrier import POLL_S, WORKERS_S, Carrier, obeyed_by_workers
from tessera.publishing.telling import Told, late_machines, put_up
from tessera.renderer.attendance import attending
from tessera.renderer.core.errors import Away
from tessera.renderer.core.labels import purged
from tessera.renderer.core.notices import Notice
from tessera.renderer.core.tags import Tag
from tessera.renderer.noticeboard import Noticeboard
from tessera.renderer.settings import Settings

MACHINES_S = 2.0
"""For how long the workers of other machines are waited for."""
DOWNSTREAM_S = 5.0
"""For how long caches downstream are waited for; who takes longer is told behind the answer."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What a purge has reached: workers of this machine, fragments that they dropped, and caches downstream.

    ``waiting`` are those that it has not reached and goes on trying to, with the reason.
    """

    notice: int
    workers: int
    fragments: int
    downstream: Sequence[str]
    waiting: Mapping[str, str]


async def make_carriers(settings: Settings, board: Noticeboard, opened: AsyncExitStack) -> Sequence[Carrier]:
    """Make what tells the caches that the settings name; what they are told through is closed with ``opened``."""
    if not settings.downstream:
        return ()
    from tessera.adapters.client import Client  # a fifth of a second, which most servers need not wait for
    from tessera.adapters.downstream import DOWNSTREAM, Reach

    client = await opened.enter_async_context(Client())
    labels = partial(purged, secret=secret_of(settings))
    carriers = []
    for each in settings.downstream:
        token = os.environ.get(each.token_variable, "") if each.token_variable is not None else ""
        downstream = DOWNSTREAM[each.kind](Reach(client, each.model_dump(), token))
        carriers.append(Carrier(each.name, downstream, board, labels))
    return carriers


async def purge(settings: Settings, tags: Sequence[Tag], *, hard: bool, by: str) -> Touched:
    """Purge what carries one of the tags, and wait until whoever can be reached has done it. Raises OSError."""
    async with _opened(settings) as (board, carriers):
        for carrier in carriers:
            carrier.position()  # from here on it is told
        number, waiting = await announce(settings, board, Notice("purge", tuple(tags), hard=hard), tags, by=by)
        reached = await asyncio.gather(*(_reached(carrier, number) for carrier in carriers))
        names = [carrier.name for carrier in carriers]
        waiting |= {name: why for name, why in zip(names, reached, strict=True) if why}
        workers = tuple(attending(board.folder))
        fragments = sum(each.dropped_at(number) for each in workers)
        done = [name for name, why in zip(names, reached, strict=True) if not why]
        return Touched(number, sum(each.obeyed >= number for each in workers), fragments, done, waiting)


async def announce(
    settings: Settings, board: Noticeboard, notice: Notice, tags: Sequence[Tag], *, by: str
) -> tuple[int, dict[str, str]]:
    """Put up a notice, record it, and wait for the workers of all machines that can be reached.

    ``tags`` say what it is about, in the record. Returns its number, and who has not obeyed yet, with the reason.
    Raises OSError.
    """
    told = await put_up(settings, board, notice)
    record(settings.server.state_dir, secret_of(settings), datetime.now(UTC), by, told.number, notice, tags)
    late, away = await asyncio.gather(
        obeyed_by_workers(board, told.number, WORKERS_S), _elsewhere(settings, board, told)
    )
    return told.number, {**{f"worker {process}": "does not answer" for process in late}, **away}


async def _elsewhere(settings: Settings, board: Noticeboard, told: Told) -> Mapping[str, str]:
    """Wait for the workers of other machines; return which of those have not obeyed, and why."""
    try:
        late = [] if told.redis_is_away else await late_machines(settings, board, told.number, MACHINES_S)
    except Away:
        told = told._replace(redis_is_away=True)
    if told.redis_is_away:
        return {"redis": "other machines hear of it once it is back"}
    return {f"machine {host}": "has not said yet that its workers have obeyed" for host in late}


def secret_of(settings: Settings) -> str:
    """Return the secret that visitors' digests are made with; in development there may be none."""
    return settings.secret.get_secret_value() if settings.secret is not None else ""


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Noticeboard, Sequence[Carrier]]]:
    async with AsyncExitStack() as opened:
        board = Noticeboard(settings.server.state_dir)
        opened.callback(board.close)
        yield board, await make_carriers(settings, board, opened)


async def _reached(carrier: Carrier, number: int) -> str:
    """Wait until a cache has obeyed a notice; return why it has not, empty if it has.

    Where no server is there to tell it, it is told here.
    """
    late_s = time.monotonic() + DOWNSTREAM_S
    while time.monotonic() < late_s:
        with carrier.held() as held:
            if held:
                await carrier.carry()
        position = carrier.position()
        if position.obeyed >= number:
            return ""
        if position.failed >= number:
            return position.failure
        await asyncio.sleep(POLL_S)
    return "has not answered yet"
