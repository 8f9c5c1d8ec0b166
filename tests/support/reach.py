"""What an adapter reaches, in tests: a client or a store, and nothing where it needs none."""

from contextlib import AsyncExitStack
from typing import cast

from tessera.adapters.base import Reach
from tessera.adapters.client import Client
from tessera.adapters.sqlite import Store


def reach_of(client: Client | None = None, store: Store | None = None) -> Reach:
    """Return what an adapter is made from; what it opens is for the test to close."""
    return Reach(lambda: cast(Client, client), cast(Store, store), AsyncExitStack())
