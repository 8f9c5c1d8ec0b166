"""The contract of the port `Events`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tessera.contracts.contract import STRANGER, VISITOR, Contract, Staged
from tessera.renderer.core.ports import KEPT_EVENTS, Event, Events

Moments = Mapping[tuple[str, str], Sequence[datetime]]
THEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


class EventsContract(Contract[Events, Moments]):
    """The upstream knows of nothing at first."""

    async def ask(self, adapter: Events, visitor_id: str) -> Moments:
        """Ask for what was seen of a banner, of which `VISITOR` is noted to have seen it, each time."""
        if visitor_id == VISITOR:
            await adapter.record(Event(VISITOR, "shown", "banner", THEN))
        return await adapter.events(visitor_id, frozenset({"banner"}))

    def check(self, answer: Moments, visitor_id: str) -> None:
        """What somebody saw is theirs alone."""
        assert set(answer) == ({("shown", "banner")} if visitor_id == VISITOR else set())
        assert all(at == THEN for moments in answer.values() for at in moments)

    def test_what_was_asked_for_comes_and_of_the_last_so_many(self, tmp_path: Path) -> None:
        async def scene(stage: Staged[Events]) -> None:
            last = [THEN + timedelta(seconds=n) for n in range(KEPT_EVENTS + 5)]
            for at in last:
                await stage.adapter.record(Event(VISITOR, "shown", "banner", at))
            await stage.adapter.record(Event(VISITOR, "dismissed", "other", THEN))
            told = await stage.adapter.events(VISITOR, frozenset({"banner"}))
            assert {key: sorted(moments) for key, moments in told.items()} == {("shown", "banner"): last[5:]}
            assert await stage.adapter.events(STRANGER, frozenset({"banner", "other"})) == {}

        self.play(tmp_path, scene)
