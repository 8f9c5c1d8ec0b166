"""A number that all processes of one machine see: how many notices there were.

It lies in a file that each of them maps into its memory, so that reading it takes some 30 ns and no system call: each
request can look. Only whoever holds the lock of the notice board writes it. A number of 8 bytes on an 8-byte boundary
is read and written whole on every processor that CPython runs on.
"""

import mmap
import os
from pathlib import Path

WIDTH = 8


class Sequence:
    """The number in a file, which is made if missing. ``cell[0]`` is it: at least 0, and it only grows."""

    __slots__ = ("_file", "_inode", "_mapped", "cell")

    def __init__(self, file: Path) -> None:
        """Raises OSError."""
        self._file = file
        with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as opened:
            if os.fstat(opened.fileno()).st_size < WIDTH:
                opened.write(bytes(WIDTH))  # on disk before it is mapped: writing to a hole on a full one is fatal
                opened.flush()
            self._inode = os.fstat(opened.fileno()).st_ino
            self._mapped = mmap.mmap(opened.fileno(), WIDTH)
        self.cell = memoryview(self._mapped).cast("Q")

    def is_in_place(self) -> bool:
        """Tell whether the file is still the one that was mapped: somebody may have deleted it."""
        try:
            return self._file.stat().st_ino == self._inode
        except OSError:
            return False

    def close(self) -> None:
        """Let go of the file."""
        self.cell.release()
        self._mapped.close()
