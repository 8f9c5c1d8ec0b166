"""Carriers: each tells one cache downstream what is purged, notice by notice, until it has done it.

One process of a machine at a time does it for a cache, and how far it is, is on disk, so that another can go on:

    notices/
      downstream-edge.json    the last notice that the cache named `edge` has obeyed; where it failed since, at which
                              notice and how

A cache is told only when all workers have obeyed: else one of them could still answer it from before the purge. So each
machine tells its caches of every purge that it hears of, from wherever it came.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import islice

from tessera.publishing.releases import replace_text
from tessera.publishing.turns import turn
from tessera.renderer.attendance import attending
from tessera.renderer.core.errors import Unpurged
from tessera.renderer.core.notices import Notice
from tessera.renderer.core.ports import Downstream
from tessera.renderer.core.tags import EVERYTHING, Tag
from tessera.renderer.noticeboard import Missed, Noticeboard

POLL_S = 0.02
WORKERS_S = 2.0
"""For how long workers are waited for: one that hangs for longer answers nobody either."""

FIRST_RETRY_S = 0.5
LAST_RETRY_S = 60.0
MAX_OWED = 10_000
"""Labels that a cache has yet to be told, beyond which everything there is purged instead."""

log = logging.getLogger("tessera")


@dataclass(frozen=True, slots=True)
class Position:
    """How far a cache is: the last notice that it obeyed; where it failed since, the notice then, and how."""

    obeyed: int
    failed: int = 0
    failure: str = ""


class Carrier:
    """Tells one cache, as long as it holds the lock of its machine."""

    def __init__(
        self,
        name: str,
        downstream: Downstream,
        board: Noticeboard,
        labels: Callable[[Iterable[Tag]], Sequence[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``labels`` are what a purge of tags is called downstream; ``clock`` gives seconds."""
        self.name = name
        self._downstream = downstream
        self._board = board
        self._labels = labels
        self._clock = clock
        self._file = board.folder / f"downstream-{name}.json"
        self._read = 0
        self._owed: dict[str, bool] = {}
        self._failures = 0
        self._not_before = 0.0

    async def run(self) -> None:
        """Carry on and on, in turn with the other processes of this machine, until cancelled."""
        while True:
            with self.held() as held:
                while held:
                    try:
                        await self.carry()
                    except OSError as failure:
                        log.error("%s is not told of purges: %s", self.name, failure)
                    await asyncio.sleep(POLL_S)
            await asyncio.sleep(10 * POLL_S)

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Take its turn for the length of the block; gives whether that was possible. Raises OSError."""
        with turn(self._board.folder / f".downstream-{self.name}") as held:
            if held:
                self._owed.clear()
                self._read = self.position().obeyed
            yield held

    def position(self) -> Position:
        """Read how far it is; where that is not known, it begins here and now. Raises OSError."""
        try:
            return Position(**json.loads(self._file.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            position = Position(self._board.number)
            self._keep(position)
            return position

    async def carry(self) -> None:
        """Read what is new, wait until the workers have obeyed it, and tell it, once. Raises OSError."""
        number = self._board.number
        if number == self._read and not self._owed:
            return
        if number != self._read:
            await self._take_in(number)
        if self._clock() < self._not_before:
            return
        try:
            await self._tell()
        except Unpurged as failure:
            self._put_off(failure)
            self._keep(replace(self.position(), failed=self._read, failure=str(failure)))
        else:
            self._failures = 0
            self._keep(Position(self._read))

    async def _take_in(self, number: int) -> None:
        await obeyed_by_workers(self._board, number, WORKERS_S)
        try:
            notices = self._board.since(self._read)
        except Missed:
            notices = [(number, Notice("purge", (EVERYTHING,)))]
        for _, notice in notices:
            if notice.kind == "purge":
                for label in self._labels(notice.tags):
                    self._owed[label] = notice.hard or self._owed.get(label, False)
        if len(self._owed) > MAX_OWED:
            self._owed = {EVERYTHING: any(self._owed.values())}
        self._read = max([number, *(each for each, _ in notices)])

    async def _tell(self) -> None:
        """Tell what is owed, as much at once as the cache takes. What it has done is not told again."""
        while self._owed:
            hard = next(iter(self._owed.values()))
            alike = (label for label, each in self._owed.items() if each == hard)
            batch = list(islice(alike, self._downstream.max_labels))
            await self._downstream.purge(batch, hard=hard)
            for label in batch:
                del self._owed[label]

    def _put_off(self, failure: Unpurged) -> None:
        wait_s = min(LAST_RETRY_S, FIRST_RETRY_S * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        self._not_before = self._clock() + max(wait_s, failure.retry_after_s or 0.0)
        log.warning("%s has not purged, and is told again: %s", self.name, failure)

    def _keep(self, position: Position) -> None:
        replace_text(self._file, json.dumps(asdict(position)))


async def obeyed_by_workers(board: Noticeboard, number: int, within_s: float) -> tuple[str, ...]:
    """Wait until all workers of this machine have obeyed a notice; return those that have not, within these seconds."""
    late_s = time.monotonic() + within_s
    while True:
        waiting = tuple(each.process for each in attending(board.folder) if each.obeyed < number)
        if not waiting or time.monotonic() >= late_s:
            return waiting
        await asyncio.sleep(POLL_S / 2)
