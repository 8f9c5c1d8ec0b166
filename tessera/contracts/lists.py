"""The contract of the port `Recommender`."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from tessera.contracts.contract import STRANGER, VISITOR, Contract, Staged
from tessera.renderer.core.ports import ListQuery, Recommendations, Recommender


class ListsContract(Contract[Recommender, Recommendations]):
    """``items`` are the ids that the upstream recommends to `VISITOR`, best first, two at least and none twice.

    `STRANGER` gets ``for_strangers``. Have the upstream say one of them twice, where it can.
    """

    items: ClassVar[Sequence[str]]
    for_strangers: ClassVar[Sequence[str]] = ()

    async def ask(self, adapter: Recommender, visitor_id: str) -> Recommendations:
        """Ask for a personal list."""
        return await adapter.items(ListQuery("personal", len(self.items), visitor_id))

    def check(self, answer: Recommendations, visitor_id: str) -> None:
        """A list comes in order; where nothing fits, it is empty."""
        assert [item.id for item in answer.items] == list(self.items if visitor_id == VISITOR else self.for_strangers)

    def test_never_more_than_asked_and_nothing_twice(self, tmp_path: Path) -> None:
        async def scene(stage: Staged[Recommender]) -> None:
            for count in (1, len(self.items), 100):
                answer = await stage.adapter.items(ListQuery("personal", count, VISITOR))
                ids = [item.id for item in answer.items]
                assert len(ids) <= count
                assert len(set(ids)) == len(ids)
                assert ids[: len(self.items)] == list(self.items[:count])

        self.play(tmp_path, scene)

    def test_lists_that_are_asked_for_at_once_are_each_their_own(self, tmp_path: Path) -> None:
        async def scene(stage: Staged[Recommender]) -> None:
            asked = [
                (ListQuery("personal", count, visitor_id, name=f"list-{count}"), expected)
                for visitor_id, expected in ((VISITOR, self.items), (STRANGER, self.for_strangers))
                for count in range(1, len(self.items) + 1)
            ]
            answers = await asyncio.gather(*(stage.adapter.items(query) for query, _ in asked))
            for answer, (query, expected) in zip(answers, asked, strict=True):
                assert [item.id for item in answer.items] == list(expected[: query.at_most])

        self.play(tmp_path, scene)
