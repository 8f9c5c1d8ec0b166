"""The contract of the port `Catalogue`."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from tessera.contracts.contract import Contract, Staged
from tessera.renderer.core.ports import Catalogue

UNSOLD = "unsold-0815"

Items = Mapping[str, Mapping[str, object]]


class CatalogueContract(Contract[Catalogue, Items]):
    """``items`` are what the upstream sells, two at least. Have it sell more: only what was asked for may come."""

    items: ClassVar[Items]

    async def ask(self, adapter: Catalogue, visitor_id: str) -> Items:
        """Ask for all the items, and for one that is not sold; about no visitor."""
        return await adapter.items((*self.items, UNSOLD))

    def check(self, answer: Items, visitor_id: str) -> None:
        """What is not sold is left out."""
        assert answer == self.items

    def test_only_what_was_asked_for_comes(self, tmp_path: Path) -> None:
        first = next(iter(self.items))

        async def scene(stage: Staged[Catalogue]) -> None:
            assert await stage.adapter.items((first,)) == {first: self.items[first]}
            assert await stage.adapter.items((first, first)) == {first: self.items[first]}
            assert await stage.adapter.items(()) == {}

        self.play(tmp_path, scene)
