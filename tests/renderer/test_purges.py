"""A purge lets go of what carries its tags, and of nothing else: inputs first, then fragments."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from tessera.renderer.core.errors import SourceError, SourceUnavailable
from tessera.renderer.core.ports import Cart, ListQuery, Profile
from tessera.renderer.fragments import Fragments
from tessera.renderer.purges import Purges
from tessera.renderer.sources import Sources
from tests.support.fakes import World, item
from tests.support.sites import load, write_site

PAGE = "page: home\nslots:\n  hero: {default: nothing}\n"
POPULAR = ListQuery("popular", 3, name="popular")
MINE = ListQuery("personal", 3, "ann", name="mine")


class Shop:
    """All inputs of two visitors, asked for one after another."""

    def __init__(self, folder: Path, *, stale_s: float = 0) -> None:
        declared = load(write_site(folder, {"home.yaml": PAGE}, {})).declared
        self.world = World(
            profiles={"ann": Profile({"tier": "gold"}), "bob": Profile({"tier": "none"})},
            lists={"popular": ["A", "B"], "ann": ["C"], "bob": ["A"]},
            catalogue={sku: item(sku) for sku in "AB"},
            carts={who: Cart((), 100, "EUR") for who in ("ann", "bob")},
        )
        self.now_s = 0.0
        self.sources = sources = self.world.sources(fresh_s=60, stale_s=stale_s, clock=lambda: self.now_s)
        self.inputs: Mapping[str, Callable[[], Awaitable[object]]] = {
            "ann": lambda: sources.profile("ann", declared),
            "bob": lambda: sources.profile("bob", declared),
            "cart of ann": lambda: sources.cart("ann"),
            "cart of bob": lambda: sources.cart("bob"),
            "popular": lambda: sources.items(POPULAR, declared),
            "the same by another name": lambda: sources.items(POPULAR._replace(name="other"), declared),
            "for ann": lambda: sources.items(MINE, declared),
            "for bob": lambda: sources.items(MINE._replace(visitor_id="bob"), declared),
            "A": lambda: sources.item("A", declared),
            "B": lambda: sources.item("B", declared),
        }

    async def asked_for(self) -> set[str]:
        """Ask for everything, and return what upstream was asked for."""
        asked = set()
        for name, get in self.inputs.items():
            before = len(self.world.calls)
            await get()
            if len(self.world.calls) > before:
                asked.add(name)
        return asked


PURGED = {
    "visitor:ann": {"ann", "cart of ann", "for ann"},
    "item:A": {"A", "popular", "the same by another name", "for bob"},
    "item:B": {"B", "popular", "the same by another name"},
    "item:C": {"for ann"},  # which the catalogue does not have yet
    "list:popular": {"popular"},
    "list:mine": {"for ann", "for bob"},
    "item:A visitor:bob": {"A", "popular", "the same by another name", "bob", "cart of bob", "for bob"},
    "template:home/hero.liquid": set(),
    "visitor:an": set(),
}


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("tags", PURGED)
async def test_a_purge_takes_what_carries_a_tag(tmp_path: Path, tags: str, hard: bool) -> None:
    shop = Shop(tmp_path)
    assert await shop.asked_for() == set(shop.inputs)
    assert await shop.asked_for() == set()
    shop.sources.purge(tags.split(), hard=hard)
    assert await shop.asked_for() == PURGED[tags]
    assert await shop.asked_for() == set()


@pytest.mark.parametrize("hard", [False, True])
async def test_everything_is_everything(tmp_path: Path, hard: bool) -> None:
    shop = Shop(tmp_path)
    await shop.asked_for()
    shop.sources.purge(["everything"], hard=hard)
    assert await shop.asked_for() == set(shop.inputs)


@pytest.mark.parametrize(("tags", "left"), [("visitor:ann", 7), ("item:A visitor:bob", 4), ("everything", 0)])
async def test_memory_lets_go_of_what_is_purged_hard(tmp_path: Path, tags: str, left: int) -> None:
    shop = Shop(tmp_path)
    await shop.asked_for()
    assert shop.sources.remembered == len(shop.inputs)
    shop.sources.purge(tags.split(), hard=True)
    assert shop.sources.remembered == left


async def test_only_after_a_soft_purge_something_stands_in_where_upstream_fails(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    await shop.asked_for()
    shop.world.failing["cart"] = SourceUnavailable("cart", "down")
    shop.sources.purge(["visitor:ann"], hard=False)
    await shop.inputs["cart of ann"]()
    shop.sources.purge(["visitor:ann"], hard=True)
    with pytest.raises(SourceError):
        await shop.inputs["cart of ann"]()


def test_inputs_go_before_fragments() -> None:
    said: list[object] = []

    class Noting(Sources):
        def __init__(self) -> None:
            pass

        def purge(self, tags: object, *, hard: bool) -> None:
            said.append(("inputs", tags, hard))

    class NotingToo(Fragments):
        def __init__(self) -> None:
            pass

        def purge(self, tags: frozenset[str]) -> int:
            said.append(("fragments", tags))
            return 0

    purges = Purges(Noting(), NotingToo())
    purges.purge(("item:A",), hard=False)
    purges.drop()
    assert said == [
        ("inputs", ("item:A",), False),
        ("fragments", frozenset({"item:A"})),
        ("inputs", ("everything",), True),
        ("fragments", frozenset({"everything"})),
    ]
