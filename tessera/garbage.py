"""Garbage collection in short turns: what has outlived one is not looked through again and again.

Python looks through all that a process holds whenever a quarter has been added to it ("gc", `set_threshold`). With the
answers of some ten thousand visitors remembered that takes a tenth of a second, in which nobody is answered. Hardly
any of it is ever garbage of the kind that only a collection finds: what is remembered is let go of by count.
"""

import gc
from collections.abc import Callable
from typing import Any

THRESHOLDS = 5_000, 2
"""Objects made before the next look at the youngest, and such looks before one at what outlived them: milliseconds."""

THOROUGH = 1_000
"""Of so many turns one looks through everything, for what has become garbage after it was set aside."""

LONGEST_LIVED = 2
"""The generation whose collection looks through everything that is not set aside."""


class ShortTurns:
    """Sets aside what has outlived two generations. Collections call it as they begin and end (`gc.callbacks`)."""

    def __init__(self, live: Callable[[], object]) -> None:
        """Begin with all that there is set aside. Where what ``live`` tells changes, much is to be let go of."""
        self._live = live
        self._seen = live()
        self._turns = 0
        self._thorough = False
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)

    def __call__(self, phase: str, told: dict[str, Any]) -> None:
        """Set survivors aside, or everything back, until all has been looked through."""
        if phase != "stop" or told["generation"] == 0 or (self._thorough and told["generation"] != LONGEST_LIVED):
            return
        self._turns += 1
        live = self._live()
        self._thorough = live != self._seen or self._turns % THOROUGH == 0
        if self._thorough:
            self._seen = live
            gc.unfreeze()
        else:
            gc.freeze()
