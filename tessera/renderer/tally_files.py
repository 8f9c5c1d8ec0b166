"""The counts of all processes of a machine, in files that each of them can read: whoever is asked tells of all.

    tallies/
      0      the counts of one process, mapped into its memory: one 8-byte integer for each cell of `tally`
      1      those of the next

A process takes the first file that no living one holds (by a lock that goes with it) and counts on in it, so that no
count is lost or goes down when workers come and go.
"""

import mmap
import os
from fcntl import LOCK_EX, LOCK_NB, flock
from hashlib import sha256
from pathlib import Path
from typing import IO

from tessera.renderer.tally import CELLS, FAMILIES, Tally

FOLDER = "tallies"
WIDTH = 8
HEADER = sha256(repr([(each.name, each.bounds, list(each.at.items())) for each in FAMILIES]).encode()).digest()
"""What the cells stand for; a file with another one, of another version of Tessera, is begun anew."""
GAUGES = tuple(cell for each in FAMILIES if each.kind == "gauge" for cell in each.at.values())
MAX_PROCESSES = 1024


def open_tally(state_dir: Path) -> Tally:
    """Count in a file of a state folder, made if missing, as long as the tally is used. Raises OSError."""
    folder = state_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with _first_free(folder) as file:
        if not _is_ours(file.read()):
            file.truncate(0)
            file.seek(0)
            file.write(HEADER + bytes(CELLS * WIDTH))
            file.flush()
        mapped = mmap.mmap(file.fileno(), 0)  # has a descriptor of its own, and so keeps the lock
    cells = memoryview(mapped)[len(HEADER) :].cast("Q")
    for cell in GAUGES:
        cells[cell] = 0
    return Tally(cells)


def counts(state_dir: Path) -> tuple[list[int], int]:
    """Return the counts of all processes that ever were, and how many are alive. Raises OSError."""
    total, alive = [0] * CELLS, 0
    for path in sorted((state_dir / FOLDER).iterdir()):
        with path.open("rb") as file:
            content = file.read()
            lives = not _lock(file)
        if not _is_ours(content):
            continue
        counted = list(memoryview(content)[len(HEADER) :].cast("Q"))
        alive += lives
        if not lives:
            for cell in GAUGES:
                counted[cell] = 0
        total = list(map(sum, zip(total, counted, strict=True)))
    return total, alive


def _first_free(folder: Path) -> IO[bytes]:
    for number in range(MAX_PROCESSES):
        file = os.fdopen(os.open(folder / str(number), os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        if _lock(file):
            return file
        file.close()
    raise OSError(f"there are {MAX_PROCESSES} processes already")


def _is_ours(content: bytes) -> bool:
    return content.startswith(HEADER) and len(content) == len(HEADER) + CELLS * WIDTH


def _lock(file: IO[bytes]) -> bool:
    """Take the lock of a file, and tell whether nobody else has it."""
    try:
        flock(file, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True
