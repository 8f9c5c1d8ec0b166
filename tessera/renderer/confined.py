"""Work on what somebody else wrote, in a process of its own: it has bounds, and can be killed."""

import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import process_time
from typing import TypeVar

T = TypeVar("T")
At = Callable[[str], None]
"""Called with the name of what is begun now; the bounds of time begin anew."""

_AT, _DONE, _FAILED = "at", "done", "failed"
_OUT_OF_MEMORY = 77
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What each thing may take: whole seconds of the processor, seconds of the clock; and memory, of all of them.

    Memory is bounded where the system tells how much of it a process has, as Linux does.
    """

    cpu_s: int = 5
    wall_s: float = 20
    memory_bytes: int = 512 * 1024 * 1024


class Killed(Exception):
    """The process went out of its bounds while it was at the thing of the name `at`; the message tells which."""

    def __init__(self, at: str, bound: str) -> None:
        super().__init__(bound)
        self.at = at
        self.bound = bound


def confined(work: Callable[[At], T], bounds: Bounds) -> T:
    """Return what ``work`` returns, or raise the OSError that it raises, having run it in a copy of this process.

    Raises `Killed`. What it returns must pickle.
    """
    context = get_context("fork")  # the copy has everything loaded: it is there within milliseconds
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_inside, args=(work, bounds, there), daemon=True)
    process.start()
    there.close()
    at = ""
    try:
        while here.poll(bounds.wall_s):
            told, value = here.recv()
            if told == _DONE:
                result: T = value
                return result
            if told == _FAILED:
                raise value
            at = value
        raise Killed(at, f"{bounds.wall_s:g} s")
    except EOFError:
        process.join()
        raise Killed(at, _reason(process.exitcode, bounds)) from None
    finally:
        here.close()
        process.kill()
        process.join()


def _inside(work: Callable[[At], object], bounds: Bounds, there: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if _STATM.exists():
        held = int(_STATM.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (held + bounds.memory_bytes,) * 2)
    try:
        there.send((_DONE, work(lambda name: _begin(name, bounds, there))))
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)
    except OSError as failure:
        there.send((_FAILED, failure))


def _begin(name: str, bounds: Bounds, there: Connection) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(process_time()) + bounds.cpu_s, most))
    there.send((_AT, name))


def _reason(exit_code: int | None, bounds: Bounds) -> str:
    if exit_code == -signal.SIGXCPU:
        return f"{bounds.cpu_s} s of the processor's time"
    if exit_code == _OUT_OF_MEMORY:
        return f"{bounds.memory_bytes // 1024**2} MiB of memory"
    return f"what the process can bear (it ended with {exit_code})"
