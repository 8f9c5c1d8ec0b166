"""The time that one request may wait in all, whatever it waits for, however many deadlines there are.

It is known to whatever runs on behalf of the request, its tasks included (`contextvars`), as every wait
counts against it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf

_UNTIL: ContextVar[float] = ContextVar("until", default=inf)


@contextmanager
def spending(budget_s: float) -> Iterator[None]:
    """Let the block wait for so many seconds in all; inside of another such block, what that has left counts."""
    spent = _UNTIL.set(min(_UNTIL.get(), asyncio.get_running_loop().time() + budget_s))
    try:
        yield
    finally:
        _UNTIL.reset(spent)


def until() -> float | None:
    """Return when the time is up, on the clock of the event loop; None where nobody counts it."""
    moment = _UNTIL.get()
    return moment if moment < inf else None


def is_spent() -> bool:
    """Tell whether nothing is left."""
    return asyncio.get_running_loop().time() >= _UNTIL.get()
