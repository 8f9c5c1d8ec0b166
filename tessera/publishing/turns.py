"""What one process of a machine does at a time, in turn with the others: whoever holds the lock of a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path


@contextmanager
def turn(file: Path) -> Iterator[bool]:
    """Take the lock for the length of the block, without waiting; gives whether that was possible. Raises OSError."""
    with file.open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
