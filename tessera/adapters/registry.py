"""Adapters by the name that settings call them: one line each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tessera.adapters.downstream_cloudflare import CloudflareDownstream
from tessera.adapters.downstream_fastly import FastlyDownstream
from tessera.adapters.downstream_http import HttpDownstream
from tessera.adapters.downstream_nginx import NginxDownstream
from tessera.adapters.downstream_varnish import VarnishDownstream
from tessera.adapters.profiles_http import HttpProfiles
from tessera.adapters.profiles_sqlite import SqliteProfiles
from tessera.adapters.recommender_http import HttpRecommender
from tessera.adapters.recommender_sqlite import SqliteRecommender
from tessera.adapters.sqlite import Store
from tessera.renderer.core.ports import Downstream, Profiles, Recommender


@dataclass(frozen=True, slots=True)
class Wiring:
    """What an adapter may be built from: the embedded store, the shared client, its settings, its secret."""

    store: Store
    client: httpx.AsyncClient
    settings: Mapping[str, Any]
    token: str | None


@dataclass(frozen=True, slots=True)
class Reach:
    """What a cache downstream is reached with: the client, its settings, its secret, empty where it has none."""

    client: httpx.AsyncClient
    settings: Mapping[str, Any]
    token: str


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

DOWNSTREAM: Mapping[str, Callable[[Reach], Downstream]] = {
    "varnish": lambda reach: VarnishDownstream(reach.client, **_only(reach, "url")),
    "nginx": lambda reach: NginxDownstream(**_only(reach, "folder")),
    "fastly": lambda reach: FastlyDownstream(reach.client, reach.token, **_only(reach, "url", "service")),
    "cloudflare": lambda reach: CloudflareDownstream(reach.client, reach.token, **_only(reach, "url", "zone")),
    "http": lambda reach: HttpDownstream(reach.client, reach.token, **_only(reach, "url")),
}


def _only(wiring: Wiring | Reach, *names: str) -> dict[str, Any]:
    return {name: wiring.settings[name] for name in names}
