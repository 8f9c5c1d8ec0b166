"""Keeping one process abreast of its site's notices."""

import asyncio
import logging
from typing import Protocol

from tessera.renderer.attendance import Seat
from tessera.renderer.noticeboard import Missed, Noticeboard
from tessera.renderer.suppressed import Suppressed

LOOK_S = 0.025
"""Seconds between two looks of a process that nobody asks anything: so much longer, at most, a purge waits for it."""

CHECK_S = 10.0
"""Seconds between two looks at whether the notice board is still the one that others use."""

log = logging.getLogger("tessera")


class Purged(Protocol):
    """What can be purged."""

    def purge(self, tags: tuple[str, ...], *, hard: bool) -> int:
        """Let go of what carries one of the tags, and return how many fragments those were."""
        ...

    def drop(self) -> None:
        """Let go of everything."""
        ...


class Follower:
    """Obeys before each answer: who asks after `tessera purge` has ended is not given what it purged."""

    def __init__(self, board: Noticeboard, remembered: Purged, suppressed: Suppressed | None = None) -> None:
        """Notices that are up already are of no concern: nothing is remembered yet, and what is stored is read now."""
        self._board = board
        self._remembered = remembered
        self._cell = board.cell
        self._seen = board.number
        self._seat: Seat | None = None
        self._suppressed = suppressed or Suppressed()
        self._suppressed.load()

    def look(self) -> None:
        """Obey what is new. Each request pays for it: without news it is one comparison."""
        if self._cell[0] != self._seen:
            self._catch_up()

    async def watch(self) -> None:
        """Obey without being asked anything, and take up with another board where this one is gone.

        Purges wait for a process that does this. Runs until it is cancelled.
        """
        self._seat = Seat(self._board.folder, self._seen)
        try:
            while True:
                for _ in range(max(1, round(CHECK_S / LOOK_S))):
                    await asyncio.sleep(LOOK_S)
                    self.look()
                if not self._board.is_in_place():
                    self._start_over("the notice board is gone")
        finally:
            self._seat.close()

    def _catch_up(self) -> None:
        number = self._cell[0]
        try:
            notices = self._board.since(self._seen)
        except Missed as missed:
            self._start_over(str(missed))
            return
        self._seen = max(number, *(each for each, _ in notices)) if notices else number
        for each, notice in notices:
            dropped = self._remembered.purge(notice.tags, hard=notice.hard) if notice.kind == "purge" else 0
            if notice.kind in ("suppress", "unsuppress"):
                self._suppressed.obey(notice)
            if self._seat is not None:
                self._seat.dropped(each, dropped)
        if self._seat is not None:
            self._seat.obeyed(self._seen)

    def _start_over(self, why: str) -> None:
        """Drop everything, as nobody knows what was missed, and go on from here."""
        log.warning("all inputs and fragments are dropped, as notices may have been missed: %s", why)
        self._remembered.drop()
        try:
            self._board.renew()
            self._cell = self._board.cell
            self._seen = self._board.number
            if self._seat is not None:
                self._seat.close()
                self._seat = Seat(self._board.folder, self._seen)
            self._suppressed.load()
        except OSError as failure:
            log.error("there is no notice board, so purges reach nobody: %s", failure)
