"""Garbage collection in short turns: what has outlived one is not looked through again and again.

Python looks through all that a process holds whenever a quarter has been added to it ("gc", `set_threshold`). With the
answers of some ten thousand visitors remembered that takes a tenth of a second, in which nobody is answered. Hardly
any of it is ever garbage of the kind that only a collection finds: what is remembered is let go of by count.
"""

import gc
from typing import Any

THRESHOLDS = 5_000, 2
"""Objects made before the next look at the youngest, and such looks before one at what outlived them: milliseconds."""

THOROUGH = 1_000
"""Of so many turns one looks through everything, for what has become garbage after it was set aside."""

LONGEST_LIVED = 2
"""The generation whose collection looks through everything that is not set aside."""


class ShortTurns:
    """Sets aside what has outlived two generations. Called by each collection as it begins and ends (`gc.callbacks`).

    Whoever lets go of much that is cyclic calls `gc.unfreeze`: then nothing is set aside before all was looked through.
    """

    def __init__(self) -> None:
        """Begin with all that there is set aside."""
        self._turns = 0
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)

    def __call__(self, phase: str, told: dict[str, Any]) -> None:
        """Set survivors aside, or everything back among those to be looked through."""
        if phase != "stop" or told["generation"] == 0:
            return
        if told["generation"] == LONGEST_LIVED or gc.get_freeze_count():
            self._turns += 1
            gc.freeze() if self._turns % THOROUGH else gc.unfreeze()
