"""Every adapter of ours keeps its port's contract."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from tessera.adapters.assignments_sqlite import SqliteAssignments
from tessera.adapters.carts_sqlite import SqliteCarts
from tessera.adapters.catalogue_http import HttpCatalogue
from tessera.adapters.catalogue_sqlite import SqliteCatalogue
from tessera.adapters.events_sqlite import SqliteEvents
from tessera.adapters.exposures_sqlite import SqliteExposures
from tessera.adapters.profiles_http import HttpProfiles
from tessera.adapters.profiles_sqlite import SqliteProfiles
from tessera.adapters.recommender_http import HttpRecommender
from tessera.adapters.recommender_sqlite import SqliteRecommender
from tessera.adapters.sqlite import Interaction, Seed
from tessera.contracts.assignments import AssignmentsContract
from tessera.contracts.carts import CartsContract
from tessera.contracts.catalogue import CatalogueContract
from tessera.contracts.contract import VISITOR, Staged
from tessera.contracts.events import EventsContract
from tessera.contracts.exposures import ExposuresContract
from tessera.contracts.lists import ListsContract
from tessera.contracts.over_http import OverHttp
from tessera.contracts.over_store import OverStore
from tessera.contracts.profiles import ProfilesContract
from tessera.contracts.stand_in import Reply
from tessera.renderer.core.ports import Cart, CartLine

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
ITEMS = {
    sku: {"sku": sku, "category": "tents", "price": {"amount": 1000, "currency": "EUR"}} for sku in ("T1", "T2", "T3")
}
SEED = Seed(
    items=list(ITEMS.values()),
    profiles=[(VISITOR, {"tier": "gold", "city": "Bonn", "email": "ann@example.com"}, ["vip"])],
    interactions=[Interaction(VISITOR, sku, "view", NOW) for sku in ("T2", "T2", "T2", "T1", "T1", "T3")],
    carts=[(VISITOR, [{"sku": "T1", "quantity": 2}])],
)
TRAITS = {"tier": "gold", "city": "Bonn"}


class TestHttpProfiles(OverHttp, ProfilesContract):
    adapter = HttpProfiles
    settings: ClassVar = {
        "url": "https://cdp.example/v1/{visitor_id}?include={traits}",
        "token_variable": "CDP_TOKEN",
    }
    known = Reply({"traits": {**TRAITS, "email": "ann@example.com"}, "segments": ["vip"]})
    traits = TRAITS
    segments = frozenset({"vip"})


class TestHttpLists(OverHttp, ListsContract):
    adapter = HttpRecommender
    settings: ClassVar = {"url": "https://reco.example/{kind}/{visitor_id}?n={count}"}
    known = Reply({"items": [{"id": sku} for sku in ("a", "b", "a", "c", "d", "e")]})
    items = ("a", "b", "c")


class TestHttpCatalogue(OverHttp, CatalogueContract):
    adapter = HttpCatalogue
    settings: ClassVar = {"url": "https://shop.example/items?ids={ids}", "token_variable": "SHOP_TOKEN"}
    known = Reply({"items": [{"id": sku, "title": "Tent"} for sku in ("T1", "T2", "T3")]})
    wrong: ClassVar[Sequence[object]] = ([], {"items": 7})
    items: ClassVar = {sku: {"sku": sku, "id": sku, "title": "Tent"} for sku in ("T1", "T2")}


class TestSqliteProfiles(OverStore, ProfilesContract):
    adapter = SqliteProfiles
    seed = SEED
    traits = TRAITS
    segments = frozenset({"vip"})


class TestSqliteLists(OverStore, ListsContract):
    adapter = SqliteRecommender
    seed = SEED
    items = ("T2", "T1", "T3")


class TestSqliteCatalogue(OverStore, CatalogueContract):
    adapter = SqliteCatalogue
    seed = SEED
    items: ClassVar = {sku: ITEMS[sku] for sku in ("T1", "T2")}


class TestSqliteCarts(OverStore, CartsContract):
    adapter = SqliteCarts
    seed = SEED
    cart = Cart((CartLine("T1", 2),), 2000, "EUR")


class TestSqliteEvents(OverStore, EventsContract):
    adapter = SqliteEvents


class TestSqliteExposures(OverStore, ExposuresContract):
    adapter = SqliteExposures


class TestSqliteAssignments(OverStore, AssignmentsContract):
    adapter = SqliteAssignments
    arms: ClassVar = {("colours", "1"): "red"}

    @asynccontextmanager
    async def staged(self, folder: Path) -> AsyncIterator[Staged[Any]]:
        async with super().staged(folder) as stage:
            connection = sqlite3.connect(folder / "tessera.sqlite")
            connection.execute("INSERT INTO exposures VALUES (?, 'colours', '1', 'red', '')", (VISITOR,))
            connection.commit()
            connection.close()
            yield stage
