"""Who is suppressed, of one machine and of all: its embedded store, and the Redis that it shares with others."""

import asyncio
from collections.abc import Iterable

from tessera.adapters.suppressed_redis import RedisSuppressed
from tessera.adapters.suppressed_sqlite import SqliteSuppressed
from tessera.renderer.core.notices import Notice


class Suppressions:
    """Keeps both. Raises OSError for the store and `Away` for Redis."""

    def __init__(self, own: SqliteSuppressed, shared: RedisSuppressed) -> None:
        self._own = own
        self._shared = shared

    def obey(self, notice: Notice) -> None:
        """Store here what another machine told."""
        if notice.kind == "suppress":
            self._own.put(notice.tags)
        elif notice.kind == "unsuppress":
            self._own.drop(notice.tags)

    async def share(self, notices: Iterable[Notice]) -> None:
        """Keep for machines that are new what was told to those that are there."""
        for notice in notices:
            if notice.kind == "suppress":
                await self._shared.put(notice.tags)
            elif notice.kind == "unsuppress":
                await self._shared.drop(notice.tags)

    async def merge(self) -> bool:
        """Bring both to what either has; tell whether that was news here.

        Where somebody was taken back meanwhile, they are suppressed again: rather that than the other way round.
        """
        own = await asyncio.to_thread(self._own.all)
        await self._shared.put(own)
        news = await self._shared.all() - own
        await asyncio.to_thread(self._own.put, news)
        return bool(news)
