"""A carrier tells its cache of each purge, in bounded batches, after all workers, until it has done it."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tessera.publishing.carrier import Carrier, obeyed_by_workers
from tessera.renderer.attendance import Seat, attending
from tessera.renderer.core.errors import Unpurged
from tessera.renderer.core.notices import Notice
from tessera.renderer.noticeboard import Noticeboard


class Cache:
    """Implements `Downstream`: notes what it is told, and refuses when told to."""

    max_labels = 2

    def __init__(self) -> None:
        self.purged: list[tuple[tuple[str, ...], bool]] = []
        self.refusals: list[Unpurged] = []

    async def purge(self, labels: Sequence[str], *, hard: bool) -> None:
        if self.refusals and len(self.purged) % 2:
            raise self.refusals.pop(0)
        self.purged.append((tuple(labels), hard))


class Machine:
    """A notice board, a cache, and a carrier that is made anew at each `carry`, as after a restart, unless kept."""

    def __init__(self, folder: Path, **bounds: int) -> None:
        self.board = Noticeboard(folder, **bounds)
        self.cache = Cache()
        self.now_s = 0.0
        self.carrier = self.made()
        self.carrier.position()

    def made(self) -> Carrier:
        return Carrier("edge", self.cache, self.board, lambda tags: tuple(tags), lambda: self.now_s)

    async def carry(self, *, anew: bool = True) -> None:
        if not anew:
            await self.carrier.carry()
            return
        self.carrier = self.made()
        with self.carrier.held() as held:
            assert held
            await self.carrier.carry()

    def position(self) -> dict[str, object]:
        read = json.loads((self.board.folder / "downstream-edge.json").read_text())
        assert isinstance(read, dict)
        return read


async def test_every_purge_is_told_once_and_nothing_else(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    await machine.carry()
    machine.board.append(Notice("look"), Notice("purge", ("a", "b")), Notice("purge", ("b", "c"), hard=True))
    await machine.carry()
    await machine.carry()
    assert machine.cache.purged == [(("a",), False), (("b", "c"), True)]
    assert machine.position() == {"obeyed": 3, "failed": 0, "failure": ""}


async def test_a_cache_that_refuses_is_told_again_later_only_what_it_has_not_done(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.board.append(Notice("purge", ("a", "b", "c", "d")))
    machine.cache.refusals = [Unpurged("answered with status 429", 30.0), Unpurged("no reply")]
    await machine.carry()
    assert machine.position() == {"obeyed": 0, "failed": 1, "failure": "answered with status 429"}
    machine.now_s = 29.9
    await machine.carry(anew=False)
    machine.now_s = 30.0
    await machine.carry(anew=False)
    assert machine.position()["failure"] == "no reply"
    machine.now_s = 30.9
    await machine.carry(anew=False)
    assert machine.cache.purged == [(("a", "b"), False)]
    machine.now_s = 31.0
    await machine.carry(anew=False)
    assert machine.cache.purged == [(("a", "b"), False), (("c", "d"), False)]
    assert machine.position() == {"obeyed": 1, "failed": 0, "failure": ""}


async def test_another_process_goes_on_where_one_ended(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.board.append(Notice("purge", ("a", "b", "c")))
    machine.cache.refusals = [Unpurged("down")]
    await machine.carry()
    machine.cache.purged.clear()
    machine.board.append(Notice("purge", ("d",)))
    await machine.carry()
    assert machine.cache.purged == [(("a", "b"), False), (("c", "d"), False)]


async def test_where_notices_are_gone_everything_is_purged(tmp_path: Path) -> None:
    machine = Machine(tmp_path, max_bytes=200)
    for number in range(20):
        machine.board.append(Notice("purge", (f"item:{number}",)))
    await machine.carry()
    assert machine.cache.purged == [(("everything",), False)]


async def test_one_process_at_a_time_tells_a_cache(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    with machine.made().held() as first, machine.made().held() as second:
        assert (first, second) == (True, False)


async def test_a_cache_is_told_when_all_workers_have_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(tmp_path)
    seat = Seat(machine.board.folder, 0)
    number = machine.board.append(Notice("purge", ("a",)))
    assert await obeyed_by_workers(machine.board, number, within_s=0) == (seat.process,)
    told: list[int] = []

    async def obey(*_: object) -> tuple[str, ...]:
        told.append(len(machine.cache.purged))
        return ()

    monkeypatch.setattr("tessera.publishing.carrier.obeyed_by_workers", obey)
    await machine.carry()
    assert (told, len(machine.cache.purged)) == ([0], 1)
    seat.dropped(number, 7)
    seat.obeyed(number)
    assert await obeyed_by_workers(machine.board, number, within_s=0) == ()
    assert [each.dropped_at(number) for each in attending(machine.board.folder)] == [7]
    seat.close()
    assert list(attending(machine.board.folder)) == []


def test_a_worker_that_died_is_not_waited_for(tmp_path: Path) -> None:
    folder = Noticeboard(tmp_path).folder
    seat = Seat(folder, 0)
    (folder / "workers" / "1-dead").write_bytes(bytes(520))
    assert [each.process for each in attending(folder)] == [seat.process]
    assert not (folder / "workers" / "1-dead").exists()
    seat.close()
