"""The contract of the port `Exposures`."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from tessera.contracts.contract import VISITOR, Contract, Staged
from tessera.renderer.core.ports import Exposure, Exposures

THEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


class ExposuresContract(Contract[Exposures, bool]):
    """The upstream knows of nothing at first."""

    async def ask(self, adapter: Exposures, visitor_id: str) -> bool:
        """Record an exposure of the visitor."""
        return await adapter.record(Exposure(visitor_id, "colours", "red", "1", THEN))

    def check(self, answer: bool, visitor_id: str) -> None:
        """Whether it is new depends on what was before."""
        assert answer in (True, False)

    def test_one_exposure_counts_however_often_it_is_told(self, tmp_path: Path) -> None:
        async def scene(stage: Staged[Exposures]) -> None:
            told = [Exposure(VISITOR, "colours", arm, "1", THEN) for arm in ("red", "blue") * 5]
            assert sum(await asyncio.gather(*map(stage.adapter.record, told))) == 1
            assert await stage.adapter.record(Exposure(VISITOR, "colours", "red", "2", THEN))
            assert await stage.adapter.record(Exposure("somebody else", "colours", "red", "1", THEN))

        self.play(tmp_path, scene)
