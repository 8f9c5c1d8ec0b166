"""Erasing a visitor: here, upstream where that can be, and in whatever is remembered or copied anywhere.

The order matters. Who is to be suppressed is so first, so that nothing of theirs is stored any more. Then goes what is
stored, and after it what is remembered, by a purge; so whatever was read before it was deleted is behind that purge's
fence, and is not remembered.
"""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tessera.adapters.sqlite import STORE, Store, prepare
from tessera.publishing.purging import Touched, purge
from tessera.publishing.suppressing import suppress
from tessera.renderer.core.errors import SourceError, SourceUnavailable
from tessera.renderer.core.ports import Erasing
from tessera.renderer.settings import Settings
from tessera.renderer.upstreams import open_adapter

UPSTREAM_S = 10.0
"""How long an upstream may take to take the order."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure has reached: rows of the embedded store, and upstreams by their tables in the settings.

    ``failed`` are the upstreams that did not take the order, with the reason; ``purged`` is what followed.
    """

    rows: int
    upstream: Sequence[str]
    failed: Mapping[str, str]
    purged: Touched


async def erase(settings: Settings, visitor_id: str, *, by: str, suppressed: bool = False) -> Erased:
    """Erase a visitor, and suppress them where that is wanted. May be done again.

    Raises OSError, and `SourceError` where the embedded store fails.
    """
    if suppressed:
        await suppress(settings, visitor_id, by=by)  # who has not heard of it has not of the purge either, and is told
    upstream, failed = [], {}
    async with AsyncExitStack() as opened:
        store = await _opened(settings.server.state_dir / STORE)
        opened.push_async_callback(store.close)
        rows = await store.erase(visitor_id)
        for table, service in settings.services:
            adapter = open_adapter(service, store, opened)
            if not isinstance(adapter, Erasing):
                continue
            try:
                async with asyncio.timeout(UPSTREAM_S):
                    await adapter.erase(visitor_id)
                upstream.append(table)
            except (SourceError, TimeoutError) as failure:
                failed[table] = str(failure) or f"no answer in {UPSTREAM_S:g} s"
    purged = await purge(settings, (f"visitor:{visitor_id}",), hard=True, by=by)
    return Erased(rows, upstream, failed, purged)


async def _opened(file: Path) -> Store:
    try:
        await asyncio.to_thread(prepare, file)
        return await Store.open(file)
    except sqlite3.Error as failure:
        raise SourceUnavailable("erasure", f"the embedded store failed: {failure}") from failure
