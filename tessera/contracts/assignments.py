"""The contract of the port `Assignments`."""

from collections.abc import Mapping
from typing import ClassVar

from tessera.contracts.contract import VISITOR, Contract
from tessera.renderer.core.ports import Assignments

Arms = Mapping[tuple[str, str], str]


class AssignmentsContract(Contract[Assignments, Arms]):
    """``arms`` are those that `VISITOR` was first shown, by experiment and version."""

    arms: ClassVar[Arms]

    async def ask(self, adapter: Assignments, visitor_id: str) -> Arms:
        """Ask for the arms."""
        return await adapter.assignments(visitor_id)

    def check(self, answer: Arms, visitor_id: str) -> None:
        """Who was shown none has none."""
        assert answer == (self.arms if visitor_id == VISITOR else {})
