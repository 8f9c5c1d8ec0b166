"""The contract of the port `Profiles`."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from tessera.contracts.contract import VISITOR, Contract, Staged
from tessera.renderer.core.ports import Consent, Profile, Profiles


class ProfilesContract(Contract[Profiles, Profile]):
    """``traits``, ``segments``, ``ids`` and ``consents`` are what the upstream knows of `VISITOR`.

    Have it know more traits than these: only what was asked for may come.
    """

    traits: ClassVar[Mapping[str, object]]
    segments: ClassVar[frozenset[str]] = frozenset()
    ids: ClassVar[Mapping[str, str]] = {}
    consents: ClassVar[Mapping[str, Consent]] = {}

    async def ask(self, adapter: Profiles, visitor_id: str) -> Profile:
        """Ask for all the traits."""
        return await adapter.profile(visitor_id, frozenset(self.traits))

    def check(self, answer: Profile, visitor_id: str) -> None:
        """A visitor who is not known is a missing profile."""
        if visitor_id == VISITOR:
            assert answer.status != "missing"
            known = Profile(self.traits, self.segments, answer.status, self.ids, self.consents)
            assert answer == known
        else:
            assert answer == Profile(status="missing")

    def test_only_the_traits_that_were_asked_for_come(self, tmp_path: Path) -> None:
        name = next(iter(self.traits))

        async def scene(stage: Staged[Profiles]) -> None:
            one = await stage.adapter.profile(VISITOR, frozenset({name}))
            assert dict(one.traits) == {name: self.traits[name]}
            none = await stage.adapter.profile(VISITOR, frozenset())
            assert dict(none.traits) == {}

        self.play(tmp_path, scene)
