"""What one process puts up, all processes of the machine see; and who may have missed something learns of that."""

import asyncio
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tessera.renderer.core.notices import Notice
from tessera.renderer.following import Follower
from tessera.renderer.noticeboard import Missed, Noticeboard

LOOK = Notice("look")


def purge(*tags: str, hard: bool = False) -> Notice:
    return Notice("purge", tags, hard=hard)


class Told:
    """Stands for what a process remembers: notes what it is told to let go of."""

    def __init__(self) -> None:
        self.purged: list[tuple[tuple[str, ...], bool]] = []
        self.dropped = 0

    def purge(self, tags: tuple[str, ...], *, hard: bool) -> int:
        self.purged.append((tags, hard))
        return 3

    def drop(self) -> None:
        self.dropped += 1


def test_what_is_put_up_is_read_by_others_in_order_and_numbered(tmp_path: Path) -> None:
    ours, theirs = Noticeboard(tmp_path), Noticeboard(tmp_path)
    thrown = Notice("disable", switch={"what": {"experiment": "x"}, "at": "", "by": "", "why": ""})
    assert [ours.append(purge("item:ä\n"), LOOK), theirs.append(replace(thrown, origin="m", number=7))] == [2, 3]
    assert ours.number == theirs.number == 3
    assert ours.since(0) == [(1, purge("item:ä\n")), (2, LOOK), (3, replace(thrown, origin="m", number=7))]
    assert theirs.since(2) == ours.since(2) == ours.since(0)[2:]
    assert ours.since(3) == []


def test_a_board_outlives_its_processes(tmp_path: Path) -> None:
    Noticeboard(tmp_path).append(LOOK)
    assert Noticeboard(tmp_path).append(purge("item:A")) == 2
    assert Noticeboard(tmp_path).since(1) == [(2, purge("item:A"))]


def test_who_has_not_read_what_was_cut_off_is_told_so(tmp_path: Path) -> None:
    board = Noticeboard(tmp_path, max_bytes=1000)
    for number in range(1, 200):
        assert board.append(purge(f"item:{number}")) == number
        assert board.since(number - 1) == [(number, purge(f"item:{number}"))]
        assert (tmp_path / "notices/log.jsonl").stat().st_size < 1200
    with pytest.raises(Missed):
        board.since(1)
    kept = next(number for number in range(200) if _reads(board, number))
    assert board.since(kept) == [(number, purge(f"item:{number}")) for number in range(kept + 1, 200)]


def _reads(board: Noticeboard, number: int) -> bool:
    try:
        board.since(number)
    except Missed:
        return False
    return True


def test_half_a_line_of_a_process_that_died_is_written_over(tmp_path: Path) -> None:
    board = Noticeboard(tmp_path)
    board.append(LOOK)
    with (tmp_path / "notices/log.jsonl").open("a") as log:
        log.write('2 {"kind":"pur')
    assert board.since(0) == [(1, LOOK)]
    assert board.append(purge("item:A")) == 2
    assert board.since(0) == [(1, LOOK), (2, purge("item:A"))]


def test_a_whole_line_whose_writer_died_before_its_number_showed_counts(tmp_path: Path) -> None:
    board = Noticeboard(tmp_path)
    with (tmp_path / "notices/log.jsonl").open("a") as log:
        log.write(f"1 {purge('item:A').to_json()}\n")
    assert board.number == 0
    assert board.append(LOOK) == 2
    assert board.since(0) == [(1, purge("item:A")), (2, LOOK)]


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"{}\n", b'{"log": "x"'])
def test_a_log_that_is_none_is_begun_anew_and_counts_as_missed(tmp_path: Path, content: bytes) -> None:
    board = Noticeboard(tmp_path)
    board.append(LOOK)
    (tmp_path / "notices/log.jsonl").write_bytes(content)
    with pytest.raises(Missed):
        board.since(0)
    assert board.append(LOOK) == 2
    with pytest.raises(Missed):
        board.since(1)
    board.renew()
    assert board.since(1) == [(2, LOOK)]


def test_processes_that_write_at_once_take_turns(tmp_path: Path) -> None:
    write = (
        "import sys; from pathlib import Path; from tessera.renderer.core.notices import Notice;"
        "from tessera.renderer.noticeboard import Noticeboard; board = Noticeboard(Path(sys.argv[1]));"
        "[board.append(Notice('purge', (f'item:{sys.argv[2]}-{n}',))) for n in range(20)]"
    )
    writers = [subprocess.Popen([sys.executable, "-c", write, str(tmp_path), str(which)]) for which in range(3)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    said = Noticeboard(tmp_path).since(0)
    assert [number for number, _ in said] == list(range(1, 61))
    for which in range(3):
        mine = [notice.tags[0] for _, notice in said if notice.tags[0].startswith(f"item:{which}-")]
        assert mine == [f"item:{which}-{n}" for n in range(20)]


def test_every_process_obeys_a_purge_before_its_next_answer(tmp_path: Path) -> None:
    told = [Told(), Told()]
    followers = [Follower(Noticeboard(tmp_path), each) for each in told]
    Noticeboard(tmp_path).append(purge("item:A"), LOOK, purge("visitor:v", hard=True))
    for follower in followers * 2:
        follower.look()
    assert [each.purged for each in told] == [[(("item:A",), False), (("visitor:v",), True)]] * 2
    assert [each.dropped for each in told] == [0, 0]


def test_a_process_that_may_have_missed_a_notice_drops_everything_and_goes_on(tmp_path: Path) -> None:
    board, told = Noticeboard(tmp_path, max_bytes=200), Told()
    follower = Follower(Noticeboard(tmp_path), told)
    for number in range(20):
        board.append(purge(f"item:{number}"))
    follower.look()
    assert (told.dropped, told.purged) == (1, [])
    board.append(purge("item:A"))
    follower.look()
    assert (told.dropped, told.purged) == (1, [(("item:A",), False)])


async def test_a_board_that_was_deleted_is_noticed_and_followed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.renderer.following.CHECK_S", 0.01)
    board, told = Noticeboard(tmp_path), Told()
    follower = Follower(Noticeboard(tmp_path), told)
    watching = asyncio.create_task(follower.watch())
    shutil.rmtree(tmp_path / "notices")
    board.append(purge("item:A"))
    for _ in range(6000):
        await asyncio.sleep(0.01)
        if told.dropped:
            break
    assert told.dropped == 1
    board.append(purge("item:B"))
    follower.look()
    assert told.purged == [(("item:B",), False)]
    watching.cancel()
