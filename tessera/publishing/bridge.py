"""The bridge between machines: carries notices from this machine's board to a stream in Redis, and back.

One process of a machine at a time does it, and its position is on disk, so that another can go on where it stopped:

    notices/
      bridge.json   the last entry of the stream that was read, the last own notice that was told, and of each other
                    board the last notice that was heard

A machine that was cut off catches up. Where it cannot prove that it missed nothing, its inputs are dropped.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace

from tessera.adapters.stream_redis import Entries, RedisStream
from tessera.publishing.releases import replace_text
from tessera.publishing.rollcall import RollCall
from tessera.publishing.suppressions import Suppressions
from tessera.publishing.switchboard import Switchboard, Thrown
from tessera.publishing.turns import turn
from tessera.renderer.core.errors import Away
from tessera.renderer.core.notices import Notice
from tessera.renderer.core.tags import EVERYTHING
from tessera.renderer.noticeboard import Missed, Noticeboard

POLL_S = 0.2
TOLD_S = 0.02
DROP = Notice("purge", (EVERYTHING,), hard=True)
LOOK = Notice("look")
MERGE = Notice("suppress")
"""That it is to be looked up who is suppressed, as somebody may have missed a notice."""

log = logging.getLogger("tessera")


@dataclass(slots=True)
class Position:
    """How far the exchange is. ``read`` is the id of an entry, None before the first."""

    told: int
    read: str | None = None
    heard: dict[str, int] = field(default_factory=dict)


class Bridge:
    """Carries notices, as long as it holds the lock of its machine."""

    def __init__(
        self,
        board: Noticeboard,
        stream: RedisStream,
        switchboard: Switchboard,
        roll_call: RollCall,
        suppressions: Suppressions,
    ) -> None:
        self._board = board
        self._suppressions = suppressions
        self._merged = False
        self._roll_call = roll_call
        self._stream = stream
        self._switchboard = switchboard
        self._file = board.folder / "bridge.json"

    async def run(self) -> None:
        """Exchange notices again and again, in turn with the other processes of this machine, until cancelled."""
        try:
            while True:
                with self.held() as held:
                    while held:
                        rest_s = POLL_S if await self._exchanged() else TOLD_S
                        await asyncio.sleep(rest_s)
                await asyncio.sleep(5 * POLL_S)
        finally:
            await self._roll_call.leave()

    async def _exchanged(self) -> bool:
        """Exchange notices once; tell whether there is time until the next, as no worker here has yet to obey any."""
        try:
            return await self._roll_call.answer((await self.exchange()).heard)
        except Away:
            pass  # who left Redis alone for a moment asks again by itself
        except OSError as failure:
            log.error("notices cannot be exchanged with other machines: %s", failure)
        return True

    def held(self) -> AbstractContextManager[bool]:
        """Take its turn for the length of a block; gives whether that was possible. Raises OSError."""
        return turn(self._board.folder / ".bridge")

    def begin(self) -> None:
        """Make sure that whatever is put up from now on will be told."""
        self._position()

    async def has_told(self, number: int, within_s: float = 5 * POLL_S) -> bool:
        """Wait until whoever holds the lock has told a notice; tell whether it did, within these seconds."""
        for _ in range(round(within_s / TOLD_S)):
            if self._position().told >= number:
                return True
            await asyncio.sleep(TOLD_S)
        return False

    async def exchange(self) -> Position:
        """Hear what is new elsewhere and tell what is new here, once. Raises `Away`, and OSError for own files."""
        position = self._position()
        if not self._merged:  # this machine may be new, or Redis
            await self._merge()
        await self._hear(position)
        await self._tell(position)
        return position

    async def _hear(self, position: Position) -> None:
        if position.read is None:
            await self._join(position, "this machine is new here")
            return
        entries = await self._stream.after(position.read.encode())
        if entries is None:
            if await self._stream.goes_back_beyond(position.read.encode()):
                await self._stream.send([self._signed(DROP, 0)])  # others may not know what it lost
            await self._join(position, "what it read last is gone from Redis")
        elif entries:
            heard = await asyncio.to_thread(self._obey, entries, position)
            await self._suppressions.share(heard)
            if any(each.kind == MERGE.kind and not each.tags for each in heard):
                await self._merge()

    async def _join(self, position: Position, why: str) -> None:
        """Begin to read at the end of the stream, and drop what was remembered until then."""
        position.read = (await self._stream.send([self._signed(LOOK, 0)])).decode()
        log.warning("inputs of this machine are dropped, as it may have missed notices: %s", why)
        await asyncio.to_thread(self._board.append, replace(DROP, origin=self._board.name))
        await self._merge()
        await asyncio.to_thread(self._keep, position)

    async def _merge(self) -> None:
        """Learn who is suppressed on other machines, and tell those that will be new who is here."""
        if await self._suppressions.merge():
            await asyncio.to_thread(self._board.append, replace(MERGE, origin=self._board.name))
        self._merged = True

    async def _tell(self, position: Position) -> None:
        if position.told == self._board.number:
            return
        try:
            notices = self._board.since(position.told)
        except Missed:
            await self._merge()
            await self._stream.send([self._signed(MERGE, 0)])
            notices = [(self._board.number, DROP)]
        await self._suppressions.share(notice for _, notice in notices if notice.origin is None)
        own = [self._signed(notice, number) for number, notice in notices if notice.origin is None]
        if own:
            await self._stream.send(own)
        position.told = notices[-1][0] if notices else self._board.number
        await asyncio.to_thread(self._keep, position)

    def _obey(self, entries: Entries, position: Position) -> Sequence[Notice]:
        """Put up here what came from other machines, unless it came before, and return it.

        Own switches are thrown again, and suppressions: so all machines come to agree on the order in which the stream
        has them.
        """
        heard: list[Notice] = []
        for name, body in entries:
            position.read = name.decode()
            try:
                notice = Notice.read(body)
                thrown = Thrown(**notice.switch) if notice.switch is not None else None
            except (ValueError, TypeError) as broken:
                log.error("an entry in Redis is passed over: %s", broken)
                continue
            origin = notice.origin or ""
            if 0 < notice.number <= position.heard.get(origin, 0) or (
                origin == self._board.name and notice.kind in ("purge", "look")
            ):
                continue
            position.heard[origin] = max(notice.number, position.heard.get(origin, 0))
            if thrown is not None and notice.kind == "disable":
                self._switchboard.put(thrown)
            elif thrown is not None:
                self._switchboard.enable(thrown.switch)
            self._suppressions.obey(notice)
            heard.append(notice)
        if heard:
            self._board.append(*heard)
        self._keep(position)
        return heard

    def _signed(self, notice: Notice, number: int) -> str:
        return replace(notice, origin=self._board.name, number=number).to_json()

    def _position(self) -> Position:
        """Read how far the exchange is; where that is not known, it begins here and now."""
        try:
            return Position(**json.loads(self._file.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            position = Position(self._board.number)
            self._keep(position)
            return position

    def _keep(self, position: Position) -> None:
        replace_text(self._file, json.dumps(asdict(position)))
