"""Attendance: which workers serve a site on this machine, and up to which notice each of them has obeyed.

    notices/workers/
      4711-9f3c     the seat of a worker: the number of the last notice that it obeyed, then how many fragments each of
                    the last 64 made it drop

A worker holds a lock on its seat for as long as it lives, so that one that died is not waited for.
"""

import mmap
import os
import secrets
import struct
from collections.abc import Iterator
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import NamedTuple

FOLDER = "workers"
REMEMBERED = 64
WIDTH = 8
SIZE = WIDTH * (1 + REMEMBERED)


class Attending(NamedTuple):
    """A worker that lives: its process, the last notice that it obeyed, and what each of the last made it drop."""

    process: str
    obeyed: int
    dropped: tuple[int, ...]

    def dropped_at(self, number: int) -> int:
        """Return how many fragments it dropped for a notice; 0 where that is too long ago to tell."""
        return self.dropped[number % REMEMBERED] if self.obeyed - REMEMBERED < number <= self.obeyed else 0


class Seat:
    """The seat of this worker. Written by it alone; numbers of 8 bytes are read and written whole."""

    def __init__(self, notices: Path, obeyed: int) -> None:
        """``notices`` is the folder of the notice board. Raises OSError."""
        folder = notices / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        self.process = str(os.getpid())
        name = f"{self.process}-{secrets.token_hex(4)}"
        self._file = folder / name
        new = folder / f".{name}"
        self._descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        os.pwrite(self._descriptor, bytes(SIZE), 0)  # not as a hole: writing to one in memory is fatal on a full disk
        flock(self._descriptor, LOCK_EX)
        self._mapped = mmap.mmap(self._descriptor, SIZE)
        self._cells = memoryview(self._mapped).cast("Q")
        self._cells[0] = obeyed
        new.rename(self._file)  # seen only now, when it is locked

    def obeyed(self, number: int) -> None:
        """Say that all notices up to this one are obeyed."""
        self._cells[0] = number

    def dropped(self, number: int, fragments: int) -> None:
        """Say how many fragments a notice made this worker drop, before saying that it is obeyed."""
        self._cells[1 + number % REMEMBERED] = fragments

    def close(self) -> None:
        """Leave."""
        self._file.unlink(missing_ok=True)
        self._cells.release()
        self._mapped.close()
        os.close(self._descriptor)


def attending(notices: Path) -> Iterator[Attending]:
    """Yield the workers that live, and clear away the seats of those that died."""
    for seat in (notices / FOLDER).glob("[!.]*"):
        try:
            descriptor = os.open(seat, os.O_RDONLY)
        except FileNotFoundError:
            continue  # it left just now
        try:
            flock(descriptor, LOCK_SH | LOCK_NB)
        except BlockingIOError:
            obeyed, *dropped = struct.unpack(f"{1 + REMEMBERED}Q", os.pread(descriptor, SIZE, 0))
            yield Attending(seat.name.partition("-")[0], obeyed, tuple(dropped))
        else:
            seat.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
