"""Adapters by port and by the name that settings call them: one line each.

They are written as entry points are (packaging.python.org, "Entry points specification"), and imported only where they
are used. Installed packages add theirs in the groups ``tessera.profiles``, ``tessera.lists`` and so on.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Literal, cast

from tessera.adapters.base import Adapter

Port = Literal["profiles", "lists", "catalogue", "flags"]

ADAPTERS: Mapping[Port, Mapping[str, str]] = {
    "profiles": {
        "sqlite": "tessera.adapters.profiles_sqlite:SqliteProfiles",
        "http": "tessera.adapters.profiles_http:HttpProfiles",
        "segment": "tessera.adapters.profiles_segment:SegmentProfiles",
        "mparticle": "tessera.adapters.profiles_mparticle:MparticleProfiles",
        "rudderstack": "tessera.adapters.profiles_rudderstack:RudderstackProfiles",
        "unomi": "tessera.adapters.profiles_unomi:UnomiProfiles",
        "odp": "tessera.adapters.profiles_odp:OdpProfiles",
        "redis": "tessera.adapters.profiles_redis:RedisProfiles",
        "postgres": "tessera.adapters.profiles_postgres:PostgresProfiles",
    },
    "lists": {
        "sqlite": "tessera.adapters.recommender_sqlite:SqliteRecommender",
        "http": "tessera.adapters.recommender_http:HttpRecommender",
        "recombee": "tessera.adapters.recommender_recombee:RecombeeRecommender",
        "gorse": "tessera.adapters.recommender_gorse:GorseRecommender",
        "personalize": "tessera.adapters.recommender_personalize:PersonalizeRecommender",
        "algolia": "tessera.adapters.recommender_algolia:AlgoliaRecommender",
    },
    "catalogue": {
        "sqlite": "tessera.adapters.catalogue_sqlite:SqliteCatalogue",
        "http": "tessera.adapters.catalogue_http:HttpCatalogue",
    },
    "flags": {
        "none": "tessera.adapters.flags_none:NoFlags",
        "growthbook": "tessera.adapters.flags_growthbook:GrowthBookFlags",
        "openfeature": "tessera.adapters.flags_openfeature:OpenFeatureFlags",
    },
}


class UnknownAdapter(LookupError):
    """No adapter of this name is here for this port. The message names those that are."""


def adapter_of(port: Port, name: str) -> Adapter:
    """Import an adapter. Raises `UnknownAdapter`, and `ImportError` where a package is lacking.

    What an adapter of ours needs beyond what Tessera does is an extra of the adapter's name.
    """
    places = ADAPTERS[port]
    entry = EntryPoint(name, places[name], group_of(port)) if name in places else installed(port).get(name)
    if entry is None:
        known = ", ".join(f"`{each}`" for each, _ in adapters_of(port))
        raise UnknownAdapter(f"there is no adapter `{name}` for it; there are {known}")
    try:
        return cast(Adapter, entry.load())
    except ModuleNotFoundError as lacking:
        if name not in places:
            raise
        package = (lacking.name or "").partition(".")[0]
        message = f"the `{name}` adapter needs the package `{package}`: pip install 'tessera[{name}]'"
        raise ImportError(message) from lacking


def adapters_of(port: Port) -> Iterator[tuple[str, str]]:
    """Yield the names of the adapters for a port, and the package that brings each: our own, then those installed."""
    yield from ((name, "tessera") for name in ADAPTERS[port])
    for name, entry in installed(port).items():
        if name not in ADAPTERS[port]:
            yield name, entry.dist.name if entry.dist is not None else entry.module.partition(".")[0]


@cache
def installed(port: Port) -> Mapping[str, EntryPoint]:
    """Return the adapters that other packages bring."""
    return {each.name: each for each in entry_points(group=group_of(port))}


def group_of(port: Port) -> str:
    """Return the group of entry points in which packages announce their adapters for a port."""
    return f"tessera.{port}"
