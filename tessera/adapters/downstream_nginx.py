"""nginx on this machine, by its files: without an extra module it knows no purge, and a file that is gone is a miss.

Each file of `proxy_cache_path` holds the headers of an answer before its body, the labels among them.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tessera.renderer.core.errors import Unpurged

HEAD_BYTES = 16_384
"""Room for what precedes the body: a record, the key and the headers."""

LABELS = re.compile(rb"^surrogate-key: *([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


class NginxDownstream:
    """Implements `Downstream`. What is purged is gone, hard or not; the process needs the rights to delete it."""

    max_labels = 100_000

    def __init__(self, *, folder: Path) -> None:
        """``folder`` is that of `proxy_cache_path`."""
        self._folder = folder

    async def purge(self, labels: Sequence[str], *, hard: bool) -> None:
        """Delete the files that carry one of the labels, in a thread: it reads the heads of all."""
        await asyncio.to_thread(self._delete, frozenset(each.encode() for each in labels))

    def _delete(self, labels: frozenset[bytes]) -> None:
        if not self._folder.is_dir():
            raise Unpurged(f"there is no folder `{self._folder}`")
        try:
            for file in self._files():
                if not labels.isdisjoint(_labels(file)):
                    file.unlink(missing_ok=True)
        except OSError as failure:
            raise Unpurged(f"a file cannot be read or deleted ({type(failure).__name__})") from failure

    def _files(self) -> Iterator[Path]:
        """Yield all files, those still being written included: they may be of answers from before the purge."""
        return (file for file in self._folder.rglob("*") if file.is_file())


def _labels(file: Path) -> Sequence[bytes]:
    """Return the labels in the head of a file; none where nginx took it away meanwhile."""
    try:
        with file.open("rb") as opened:
            found = LABELS.search(opened.read(HEAD_BYTES).partition(b"\r\n\r\n")[0])
    except FileNotFoundError:
        return ()
    return found[1].split() if found is not None else ()
