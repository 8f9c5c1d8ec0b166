"""Adapters by the name that settings call them: one line each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tessera.adapters.profiles_http import HttpProfiles
from tessera.adapters.profiles_sqlite import SqliteProfiles
from tessera.adapters.recommender_http import HttpRecommender
from tessera.adapters.recommender_sqlite import SqliteRecommender
from tessera.adapters.sqlite import Store
from tessera.renderer.core.ports import Profiles, Recommender


@dataclass(frozen=True, slots=True)
class Wiring:
    """What an adapter may be built from: the embedded store, the shared client, its settings, its secret."""

    store: Store
    client: httpx.AsyncClient
    settings: Mapping[str, Any]
    token: str | None


PROFILES: Mapping[str, Callable[[Wiring], Profiles]] = {
    "sqlite": lambda wiring: SqliteProfiles(wiring.store),
    "http": lambda wiring: HttpProfiles(wiring.client, wiring.token, **_only(wiring, "url", "traits", "segments")),
}

RECOMMENDERS: Mapping[str, Callable[[Wiring], Recommender]] = {
    "sqlite": lambda wiring: SqliteRecommender(wiring.store),
    "http": lambda wiring: HttpRecommender(
        wiring.client, wiring.token, **_only(wiring, "url", "items", "item_id", "score", "fields")
    ),
}


def _only(wiring: Wiring, *names: str) -> dict[str, Any]:
    return {name: wiring.settings[name] for name in names}
