"""The embedded store, to test adapters against."""

import sqlite3
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, cast

from tessera.adapters.base import Reach
from tessera.adapters.client import Client
from tessera.adapters.sqlite import Seed, Store, fill, prepare
from tessera.contracts.contract import Contract, Staged, closing, made


class OverStore(Contract[Any, Any]):
    """The embedded store, filled with ``seed``. Its failure is a store without tables."""

    adapter: ClassVar[Any]
    faults: ClassVar[Collection[str]] = ("failing",)
    seed: ClassVar[Seed] = Seed((), (), (), ())

    @asynccontextmanager
    async def staged(self, folder: Path) -> AsyncIterator[Staged[Any]]:
        """Open the adapter and the store."""
        path = folder / "tessera.sqlite"
        prepare(path)
        fill(path, self.seed)
        async with AsyncExitStack() as opened:
            store = await Store.open(path)
            opened.push_async_callback(store.close)

            def fail(fault: Any) -> None:
                if fault is not None:
                    _drop_tables(path)

            reach = Reach(lambda: cast(Client, None), store, opened)
            adapter = made(self.adapter, {}, reach) if hasattr(self.adapter, "Options") else self.adapter(store)
            async with closing(Staged(adapter, fail), opened.aclose) as stage:
                yield stage


def _drop_tables(path: Path) -> None:
    connection = sqlite3.connect(path)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    for (name,) in tables.fetchall():
        connection.execute(f'DROP TABLE "{name}"')
    connection.commit()
    connection.close()
