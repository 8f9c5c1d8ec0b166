"""Tessera as it is served, in a process that tells how much memory, how many sockets and how many tasks it has."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from support.servers import SECRET, SITE, started

TELLS_WITHIN_S = 10.0


@dataclass(frozen=True)
class Census:
    """What a process has."""

    memory_mib: float
    sockets: int
    tasks: int


@dataclass(frozen=True)
class Watched:
    """A Tessera that serves the benchmark's site, and its log."""

    port: int
    pid: int
    told: Path
    log: Path

    def census(self) -> Census:
        """Count what it has now. Linux only: `/proc` tells."""
        self.told.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR1)
        until_s = time.monotonic() + TELLS_WITHIN_S
        while not self.told.exists():
            if time.monotonic() > until_s:
                raise TimeoutError("the server does not tell how many tasks it has")
            time.sleep(0.01)
        folder = Path(f"/proc/{self.pid}")
        (resident,) = [
            line.split()[1] for line in (folder / "status").read_text().splitlines() if line.startswith("VmRSS:")
        ]
        sockets = sum(os.readlink(each).startswith("socket:") for each in (folder / "fd").iterdir())
        return Census(int(resident) / 1024, sockets, int(self.told.read_text()))


@contextmanager
def watched(state: Path, **environment: str) -> Iterator[Watched]:
    """Run it until the end of the block."""
    told, log = state / "tasks", state / "log"
    arguments = ["serve", "--site", str(SITE), "--port", "0", "--state-dir", str(state)]
    command = [sys.executable, "-m", __name__, str(told), *arguments]
    found = {"PYTHONPATH": str(Path(__file__).parents[1]), "TESSERA_SECRET": SECRET}
    state.mkdir(exist_ok=True)
    with log.open("w") as written, started(command, {**found, **environment}, written) as (process, port):
        yield Watched(port, process.pid, told, log)


def _tell(file: Path) -> None:
    """Write down how many tasks there are, whenever SIGUSR1 comes."""
    part = file.with_suffix(".part")

    def write(_number: int, _frame: FrameType | None) -> None:
        part.write_text(str(len(asyncio.all_tasks())))
        part.rename(file)

    signal.signal(signal.SIGUSR1, write)


if __name__ == "__main__":
    from tessera.cli.main import main

    _tell(Path(sys.argv.pop(1)))
    main()
