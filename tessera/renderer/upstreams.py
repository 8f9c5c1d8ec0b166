"""Upstreams as the settings name them: the adapter of each, with connections of its own, and its terms."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import cache
from math import inf
from typing import TYPE_CHECKING, Any

from tessera.adapters.base import Reach
from tessera.adapters.registry import adapter_of
from tessera.adapters.sqlite import Store
from tessera.renderer import settings_upstreams as settings
from tessera.renderer.calls import Calls
from tessera.renderer.core.freshness import Lifetime
from tessera.renderer.core.ports import Profiles, Recommender
from tessera.renderer.profiles import ProfileSource
from tessera.renderer.recommenders import ListSource, SeveralRecommenders
from tessera.renderer.remembered import Terms

if TYPE_CHECKING:
    from tessera.adapters.client import Client

MERGING_MS = 100.0
"""What merging may take beyond the deadlines of its sources: a guard, not a wait."""


def open_adapter(service: settings.Service, store: Store, closing: AsyncExitStack) -> Any:
    """Make the adapter of a service. What it opens is closed with ``closing``."""

    @cache
    def client() -> "Client":
        from tessera.adapters.client import Client  # a fifth of a second, which the store need not wait for

        made = Client(
            max_connections=service.max_connections,
            connect_s=service.connect_ms / 1000,
            read_s=service.deadline_ms / 1000,
        )
        closing.push_async_callback(made.close)
        return made

    return adapter_of(service.port, service.adapter)(service.options, Reach(client, store, closing))


def open_profiles(
    profiles: settings.Profiles, store: Store, closing: AsyncExitStack
) -> tuple[Profiles | Sequence[ProfileSource], Terms]:
    """Make what asks for profiles. Several sources are merged anew as soon as one part of them is past its life."""
    terms = terms_of("profile", profiles)
    if not profiles.sources:
        return open_adapter(profiles, store, closing), terms
    sources = [
        ProfileSource(each.name, open_adapter(each, store, closing), terms_of("profile", each), frozenset(each.gives))
        for each in profiles.by_precedence
    ]
    deadlines_ms = sum(each.deadline_ms for each in profiles.sources)  # each ends its own wait before
    lifetime = Lifetime(inf, 0, min(each.stale_s for each in profiles.sources))
    return sources, replace(terms, deadline_ms=deadlines_ms + MERGING_MS, lifetime=lifetime)


def open_recommender(lists: settings.Lists, store: Store, closing: AsyncExitStack) -> Recommender:
    """Make what recommends items: one adapter, or several."""
    if not lists.sources:
        recommender: Recommender = open_adapter(lists, store, closing)
        return recommender
    sources = [
        ListSource(each.name, open_adapter(each, store, closing), Calls("items", each.deadline_ms, each.manner))
        for each in lists.sources
    ]
    return SeveralRecommenders(sources, lists.routes)


def terms_of(source: str, upstream: settings.Upstream) -> Terms:
    """Return the terms of an upstream; ``source`` is what it is called where it fails."""
    lifetime = Lifetime(upstream.fresh_s, upstream.grace_s, upstream.stale_s, upstream.missing_s)
    return Terms(
        *(source, upstream.deadline_ms, lifetime, upstream.max_entries, upstream.max_bytes),
        retry_s=upstream.retry_ms / 1000,
        max_refreshes=upstream.max_refreshes,
        manner=upstream.manner,
    )
