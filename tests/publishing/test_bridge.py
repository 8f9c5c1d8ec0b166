"""Machines tell one another by Redis, catch up when it was away, and drop inputs when they may have missed a notice."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Literal, cast

import pytest

from tessera.adapters.machines_redis import RedisMachines
from tessera.adapters.redis import SharedRedis
from tessera.adapters.sqlite import STORE
from tessera.adapters.stream_redis import RedisStream
from tessera.adapters.suppressed_redis import RedisSuppressed
from tessera.adapters.suppressed_sqlite import SqliteSuppressed
from tessera.publishing.bridge import Bridge
from tessera.publishing.rollcall import RollCall
from tessera.publishing.suppressions import Suppressions
from tessera.publishing.switchboard import Switchboard, Thrown
from tessera.renderer.core.errors import Away
from tessera.renderer.core.labels import visitor_tag
from tessera.renderer.core.notices import Notice
from tessera.renderer.following import Follower
from tessera.renderer.noticeboard import Noticeboard
from tessera.renderer.suppressed import Suppressed
from tessera.rules.switches import Switch
from tests.support.loop_time import LoopTime
from tests.support.redis import RedisServer, redis_server

DEADLINE_MS = 60_000
"""Passes when told to."""

KEY = "tessera:test:notices"
SECRET = "a secret for tests only"
HERO = Switch(page="home", slot="hero")


class Machine:
    """A machine of its own: its board, its switches, and one process that obeys."""

    def __init__(self, folder: Path, server: RedisServer) -> None:
        folder.mkdir(exist_ok=True)
        self.board = Noticeboard(folder)
        self.redis = SharedRedis(server.url, deadline_ms=DEADLINE_MS, retry_s=0)
        self.stream = RedisStream(self.redis, KEY)
        self.switchboard = Switchboard(folder / "switches.json")
        self.roll_call = RollCall(self.board, RedisMachines(self.redis, f"{KEY}:machines"))
        self.stored = SqliteSuppressed(folder / STORE)
        suppressions = Suppressions(self.stored, RedisSuppressed(self.redis, f"{KEY}:suppressed"))
        self.bridge = Bridge(self.board, self.stream, self.switchboard, self.roll_call, suppressions)
        self.purged: list[str] = []
        self.dropped = 0
        self.suppressed = Suppressed(SECRET, self.stored.all)
        self.follower = Follower(Noticeboard(folder), self, self.suppressed)

    def purge(self, tags: tuple[str, ...], *, hard: bool) -> int:
        if tags == ("everything",):
            self.dropped += 1
        else:
            self.purged += tags
        return 0

    def drop(self) -> None:
        self.dropped += 1

    def put_up(self, *tags: str) -> None:
        self.board.append(Notice("purge", tags))

    def throw(self, switch: Switch, *, off: bool) -> None:
        thrown = Thrown(switch._asdict(), "2026-11-23T10:00:00+00:00", "anna", "broken")
        if off:
            self.switchboard.put(thrown)
        else:
            self.switchboard.enable(switch)
        self.board.append(Notice("disable" if off else "enable", switch=asdict(thrown)))

    def obeyed(self) -> tuple[list[str], int]:
        """What it was told to let go of since the last time it was asked, and how often everything."""
        self.follower.look()
        said, self.purged, self.dropped = (self.purged, self.dropped), [], 0
        return said


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis", durable=True) as running:
        yield running


@pytest.fixture
async def machines(tmp_path: Path, server: RedisServer) -> AsyncIterator[tuple[Machine, Machine]]:
    pair = Machine(tmp_path / "a", server), Machine(tmp_path / "b", server)
    await exchange(*pair)
    assert [machine.obeyed()[1] for machine in pair] == [1, 1]  # whoever is new may have missed something
    yield pair
    for machine in pair:
        await machine.redis.close()


async def exchange(*machines: Machine) -> None:
    """Exchange twice each, as a server does without end: after a restart the first attempts find dead connections."""
    for machine in machines * 2:
        until = monotonic() + 60
        while True:
            try:
                await machine.bridge.exchange()
                break
            except Away:
                if monotonic() > until:
                    raise


async def test_a_purge_reaches_other_machines_once(machines: tuple[Machine, Machine]) -> None:
    ann, ben = machines
    ann.put_up("item:A", "visitor:v")
    ben.put_up("item:B")
    await exchange(ann, ben, ann)
    assert sorted(ann.obeyed()[0]) == sorted(ben.obeyed()[0]) == ["item:A", "item:B", "visitor:v"]
    await exchange(ann, ben)
    assert ann.obeyed() == ben.obeyed() == ([], 0)


async def test_a_switch_is_carried_with_who_threw_it_and_why(machines: tuple[Machine, Machine]) -> None:
    ann, ben = machines
    ann.throw(HERO, off=True)
    await exchange(ann, ben)
    assert ben.switchboard.thrown() == ann.switchboard.thrown()
    assert [each.by for each in ben.switchboard.thrown()] == ["anna"]
    ben.throw(HERO, off=False)
    await exchange(ben, ann)
    assert ann.switchboard.thrown() == []


async def test_machines_agree_on_a_switch_that_both_throw_at_once(machines: tuple[Machine, Machine]) -> None:
    ann, ben = machines
    ann.throw(HERO, off=True)
    await exchange(ann, ben)
    ann.throw(HERO, off=False)
    ben.throw(HERO, off=True)
    await exchange(ann, ben, ann)
    assert ann.switchboard.switches() == ben.switchboard.switches() == {HERO}


@pytest.mark.parametrize("how", ["killed", "cut off"])
async def test_what_was_purged_while_redis_was_away_is_caught_up_with(
    machines: tuple[Machine, Machine], server: RedisServer, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    ann, ben = machines
    time = LoopTime(monkeypatch)
    if how == "killed":
        server.kill()
    else:
        server.hold()
    ann.put_up("item:A")
    for machine in machines:
        exchanged = asyncio.ensure_future(machine.bridge.exchange())
        await time.let_pass_until(exchanged)
        with pytest.raises(Away):
            await exchanged
    assert ann.obeyed() == (["item:A"], 0)  # each machine goes on by itself
    assert ben.obeyed() == ([], 0)
    if how == "killed":
        server.start()
    else:
        server.go_on()
    await exchange(ann, ben)
    assert ann.obeyed() == ([], 0)
    assert ben.obeyed() == (["item:A"], 0)


async def test_a_redis_that_comes_back_empty_makes_all_drop_their_inputs(
    machines: tuple[Machine, Machine], server: RedisServer
) -> None:
    ann, ben = machines
    ann.put_up("item:A")
    await ann.bridge.exchange()  # told, and lost before anybody heard it
    ann.obeyed()
    server.empty()
    server.start()
    await exchange(ann, ben)
    assert ann.obeyed()[1] >= 1
    assert ben.obeyed()[1] >= 1
    ann.put_up("item:C")
    await exchange(ann, ben)
    assert ben.obeyed() == (["item:C"], 0)


async def test_a_redis_that_goes_back_to_an_older_copy_makes_all_drop_their_inputs(
    machines: tuple[Machine, Machine], server: RedisServer, tmp_path: Path
) -> None:
    ann, ben = machines
    server.kill()
    shutil.copytree(server.folder, tmp_path / "copy")
    server.start()
    ann.put_up("item:A")
    await exchange(ann)  # ben does not hear it, and what ben read last is in the copy
    server.empty()
    shutil.copytree(tmp_path / "copy", server.folder, dirs_exist_ok=True)
    server.start()
    await exchange(ann, ben)
    assert ben.obeyed()[1] >= 1


async def test_a_machine_that_was_away_for_longer_than_the_stream_reaches_drops_its_inputs(
    machines: tuple[Machine, Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = machines
    monkeypatch.setattr("tessera.adapters.stream_redis.LENGTH", 1)
    for number in range(300):
        ann.put_up(f"item:{number}")
    await exchange(ann)
    await exchange(ben)
    assert ben.obeyed()[1] >= 1
    ann.obeyed()
    await exchange(ann)
    assert ann.obeyed()[1] == 0  # who read along has missed nothing


async def test_what_a_board_could_not_keep_until_redis_was_back_counts_as_everything(
    machines: tuple[Machine, Machine], server: RedisServer
) -> None:
    ann, ben = machines
    server.kill()
    for _ in range(6):
        ann.board.append(*(Notice("purge", (f"item:{'x' * 100}{number}",)) for number in range(1000)))
    server.start()
    await exchange(ann, ben)
    assert ben.obeyed()[1] == 1


async def test_one_process_of_a_machine_carries_and_another_takes_over(tmp_path: Path, server: RedisServer) -> None:
    machine, other = Machine(tmp_path / "a", server), Machine(tmp_path / "b", server)
    again = Machine(tmp_path / "a", server)
    running = [asyncio.create_task(each.bridge.run()) for each in (machine, again, other)]
    for each in (machine, other):
        assert await hears(each, lambda told: told[1] > 0)  # whoever is new may have missed something
    machine.put_up("item:A")
    assert await hears(other, lambda told: "item:A" in told[0])
    running[0].cancel()
    again.put_up("item:B")
    assert await hears(other, lambda told: "item:B" in told[0])
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for each in (machine, again, other):
        await each.redis.close()


async def hears(machine: Machine, of: Callable[[tuple[list[str], int]], bool]) -> bool:
    """Tell whether a machine is told of something, which may take a minute."""
    for _ in range(1200):
        if of(machine.obeyed()):
            return True
        await asyncio.sleep(0.05)
    return False


async def test_what_others_put_into_the_stream_does_no_harm(machines: tuple[Machine, Machine]) -> None:
    ann, ben = machines
    await ann.stream.send(["nonsense", "[]", '{"kind":"boom"}', '{"kind":"disable","switch":{"a":1},"origin":"x"}'])
    ann.put_up("item:A")
    await exchange(ann, ben)
    assert ben.obeyed() == (["item:A"], 0)


def suppress(machine: Machine, who: str, kind: Literal["suppress", "unsuppress"] = "suppress") -> None:
    """Say so on a machine, as the command does."""
    tag = visitor_tag(who, SECRET)
    (machine.stored.put if kind == "suppress" else machine.stored.drop)([tag])
    machine.board.append(Notice(kind, (tag,)))


def suppressed(*machines: Machine) -> list[str]:
    """Return which of three visitors each machine takes for suppressed, in memory; what it stores is the same."""
    for each in machines:
        each.follower.look()
        assert each.stored.all() == {visitor_tag(who, SECRET) for who in "abc" if each.suppressed.holds(who)}
    return ["".join(who for who in "abc" if each.suppressed.holds(who)) for each in machines]


async def test_who_is_suppressed_on_one_machine_is_on_all(machines: tuple[Machine, Machine]) -> None:
    for kind, known in (("suppress", "a"), ("unsuppress", "")):
        suppress(machines[0], "a", cast(Literal["suppress", "unsuppress"], kind))
        for each in (*machines, *machines):
            await each.bridge.exchange()
        assert suppressed(*machines) == [known, known]


async def test_a_machine_that_is_new_learns_who_was_suppressed_and_tells_whom_it_has(
    machines: tuple[Machine, Machine], tmp_path: Path, server: RedisServer
) -> None:
    suppress(machines[0], "a")
    suppress(machines[0], "b")
    await machines[0].bridge.exchange()
    suppress(machines[0], "b", "unsuppress")
    await machines[0].bridge.exchange()
    new = Machine(tmp_path / "c", server)
    suppress(new, "c")
    for each in (new, *machines):
        await each.bridge.exchange()
    assert suppressed(new) == ["ac"]
    await new.redis.close()


async def test_a_redis_that_lost_all_is_told_again_who_is_suppressed(
    machines: tuple[Machine, Machine], tmp_path: Path, server: RedisServer
) -> None:
    suppress(machines[0], "a")
    await machines[0].bridge.exchange()
    await machines[0].redis.run([("FLUSHALL",)])
    await machines[0].bridge.exchange()
    new = Machine(tmp_path / "c", server)
    await new.bridge.exchange()
    assert suppressed(new) == ["a"]
    await new.redis.close()
