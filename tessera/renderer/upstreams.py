"""Upstreams as the settings name them: the adapter of each, with connections of its own, and its terms."""

from contextlib import AsyncExitStack
from typing import Any

from tessera.adapters.base import Reach
from tessera.adapters.client import make_client
from tessera.adapters.registry import adapter_of
from tessera.adapters.sqlite import Store
from tessera.renderer.core.freshness import Lifetime
from tessera.renderer.remembered import Terms
from tessera.renderer.settings import Service, Upstream


async def open_adapter(service: Service, store: Store, closing: AsyncExitStack) -> Any:
    """Make the adapter of a service. What it opens is closed with ``closing``."""
    client = make_client(
        max_connections=service.max_connections,
        connect_s=service.connect_ms / 1000,
        read_s=service.deadline_ms / 1000,
    )
    await closing.enter_async_context(client)
    return adapter_of(service.port, service.adapter)(service.options, Reach(client, store, closing))


def terms_of(source: str, upstream: Upstream) -> Terms:
    """Return the terms of an upstream; ``source`` is what it is called where it fails."""
    lifetime = Lifetime(upstream.fresh_s, upstream.grace_s, upstream.stale_s, upstream.missing_s)
    return Terms(
        *(source, upstream.deadline_ms, lifetime, upstream.max_entries, upstream.max_bytes),
        retry_s=upstream.retry_ms / 1000,
        max_refreshes=upstream.max_refreshes,
        manner=upstream.manner,
    )
