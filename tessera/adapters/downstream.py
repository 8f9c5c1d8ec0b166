"""Caches downstream by the kind that settings name: one line each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tessera.adapters.client import Client
from tessera.adapters.downstream_cloudflare import CloudflareDownstream
from tessera.adapters.downstream_fastly import FastlyDownstream
from tessera.adapters.downstream_http import HttpDownstream
from tessera.adapters.downstream_nginx import NginxDownstream
from tessera.adapters.downstream_varnish import VarnishDownstream
from tessera.renderer.core.ports import Downstream


@dataclass(frozen=True, slots=True)
class Reach:
    """What a cache downstream is reached with: the client, its settings, its secret, empty where it has none."""

    client: Client
    settings: Mapping[str, Any]
    token: str


DOWNSTREAM: Mapping[str, Callable[[Reach], Downstream]] = {
    "varnish": lambda reach: VarnishDownstream(reach.client, **_only(reach, "url")),
    "nginx": lambda reach: NginxDownstream(**_only(reach, "folder")),
    "fastly": lambda reach: FastlyDownstream(reach.client, reach.token, **_only(reach, "url", "service")),
    "cloudflare": lambda reach: CloudflareDownstream(reach.client, reach.token, **_only(reach, "url", "zone")),
    "http": lambda reach: HttpDownstream(reach.client, reach.token, **_only(reach, "url")),
}


def _only(reach: Reach, *names: str) -> dict[str, Any]:
    return {name: reach.settings[name] for name in names}
