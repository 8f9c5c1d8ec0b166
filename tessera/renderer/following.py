"""Keeping one process abreast of its site's notices."""

import asyncio
import logging
from typing import Protocol

from tessera.renderer.noticeboard import Missed, Noticeboard

CHECK_S = 10.0
"""Seconds between two looks at whether the notice board is still the one that others use."""

log = logging.getLogger("tessera")


class Purged(Protocol):
    """What can be purged."""

    def purge(self, tags: tuple[str, ...], *, hard: bool) -> None:
        """Let go of what carries one of the tags."""
        ...

    def drop(self) -> None:
        """Let go of everything."""
        ...


class Follower:
    """Obeys purges before each answer: who asks after `tessera purge` has ended is not given what it purged."""

    def __init__(self, board: Noticeboard, remembered: Purged) -> None:
        """Notices that are up already are of no concern: nothing is remembered yet."""
        self._board = board
        self._remembered = remembered
        self._cell = board.cell
        self._seen = board.number

    def look(self) -> None:
        """Obey what is new. Each request pays for it: without news it is one comparison."""
        if self._cell[0] != self._seen:
            self._catch_up()

    async def watch(self) -> None:
        """Take up with another notice board where this one is gone. Runs until it is cancelled."""
        while True:
            await asyncio.sleep(CHECK_S)
            if not self._board.is_in_place():
                self._start_over("the notice board is gone")

    def _catch_up(self) -> None:
        number = self._cell[0]
        try:
            notices = self._board.since(self._seen)
        except Missed as missed:
            self._start_over(str(missed))
            return
        self._seen = max(number, *(each for each, _ in notices)) if notices else number
        for _, notice in notices:
            if notice.kind == "purge":
                self._remembered.purge(notice.tags, hard=notice.hard)

    def _start_over(self, why: str) -> None:
        """Drop everything, as nobody knows what was missed, and go on from here."""
        log.warning("all inputs and fragments are dropped, as notices may have been missed: %s", why)
        try:
            self._board.renew()
        except OSError as failure:
            log.error("there is no notice board, so purges reach nobody: %s", failure)
        self._cell = self._board.cell
        self._seen = self._board.number
        self._remembered.drop()
