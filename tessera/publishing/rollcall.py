"""The roll call of machines: each says up to which notices of every other its workers have obeyed.

So whoever purges on one machine can wait for the workers of all.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from pydantic import BaseModel, ValidationError

from tessera.adapters.machines_redis import GONE_S, RedisMachines
from tessera.renderer.attendance import attending
from tessera.renderer.core.errors import Away
from tessera.renderer.noticeboard import Noticeboard

AGAIN_S = GONE_S / 6
"""How often a machine says the same again, so that it is not taken for gone."""
POLL_S = 0.02


class Said(BaseModel):
    """What a machine says: what it is called, and the last notice of each other board that its workers have obeyed."""

    host: str = ""
    obeyed: dict[str, int] = {}


class RollCall:
    """Answers for one machine, and asks after the others."""

    def __init__(
        self, board: Noticeboard, machines: RedisMachines, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``clock`` gives seconds."""
        self._board = board
        self._machines = machines
        self._clock = clock
        self._obeyed: dict[str, int] = {}
        self._said = ""
        self._said_s = -float("inf")

    async def answer(self, heard: Mapping[str, int]) -> bool:
        """Say how far the workers are, ``heard`` being the last notice from each other board that is up on this one.

        Returns whether they are abreast of it. Raises `Away`.
        """
        number = self._board.number
        abreast = all(each.obeyed >= number for each in attending(self._board.folder))
        if abreast:
            self._obeyed = dict(heard)
        said = Said(host=socket.gethostname(), obeyed=self._obeyed).model_dump_json()
        now_s = self._clock()
        if said != self._said or now_s - self._said_s >= AGAIN_S:
            await self._machines.say(self._board.name, said)
            self._said, self._said_s = said, now_s
        return abreast

    async def leave(self) -> None:
        """Take this machine off the roll, unless other processes of it serve on."""
        if all(each.process == str(os.getpid()) for each in attending(self._board.folder)):
            with suppress(Away):  # then it is taken for gone in a minute
                await self._machines.leave(self._board.name)

    async def late(self, number: int, within_s: float) -> list[str]:
        """Wait until the workers of all other machines have obeyed a notice of this one, within these seconds.

        Returns the hosts where they have not. Raises `Away`.
        """
        late_s = self._clock() + within_s
        while True:
            said = {name: _read(body) for name, body in (await self._machines.all()).items()}
            waiting = [
                each.host or name
                for name, each in said.items()
                if name != self._board.name and each.obeyed.get(self._board.name, 0) < number
            ]
            if not waiting or self._clock() >= late_s:
                return waiting
            await asyncio.sleep(POLL_S)


def _read(body: bytes) -> Said:
    try:
        return Said.model_validate_json(body)
    except ValidationError:
        return Said()  # of another version, perhaps: it is there, and how far it is nobody knows
