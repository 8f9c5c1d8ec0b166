"""The contract of the port `Flags`."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from tessera.contracts.contract import VISITOR, Contract, Staged
from tessera.renderer.core.ports import FlagKind, FlagQuery, Flags

Values = Mapping[str, object]


class FlagsContract(Contract[Flags, Values]):
    """``values`` are what the service decides for `VISITOR`, and ``for_strangers`` for `STRANGER`.

    ``kinds`` says what each is. The visitor's id is told as the attribute ``id``. Have the service know more flags.
    """

    kinds: ClassVar[Mapping[str, FlagKind]]
    values: ClassVar[Values]
    for_strangers: ClassVar[Values] = {}

    async def ask(self, adapter: Flags, visitor_id: str) -> Values:
        """Ask for all the flags, and for one that there is not."""
        wanted = (*self.kinds.items(), ("no-such-flag", "boolean"))
        return await adapter.flags(FlagQuery(wanted, (("id", visitor_id),)))

    def check(self, answer: Values, visitor_id: str) -> None:
        """A flag that is not known is left out."""
        assert answer == (self.values if visitor_id == VISITOR else self.for_strangers)

    def test_who_is_told_nothing_of_the_visitor_still_answers(self, tmp_path: Path) -> None:
        async def scene(stage: Staged[Flags]) -> None:
            assert set(await stage.adapter.flags(FlagQuery(tuple(self.kinds.items())))) <= set(self.kinds)

        self.play(tmp_path, scene)
