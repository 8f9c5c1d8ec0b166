"""Counts what one render spends, in both languages."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import chain
from math import inf
from time import perf_counter, thread_time

from tessera.renderer.engines.base import Limits

ENTRY_BYTES = 8
STEP_BYTES = 256
FILTER_STEPS = 4
PARTIAL_STEPS = 10
MAX_INT_BITS = 4096
LOOK_STEPS = 2_000
"""Steps between two looks at the clock: a millisecond's worth, or a few."""


_CONTAINERS = (list, tuple, dict)


class Meter:
    """The budget of one render.

    Python cannot interrupt a single call into C from inside. So time is bounded by what such calls are handed: every
    value that a template makes is measured when it is made, and whoever could make a huge one asks `afford` before.

    `left` is how many steps may be taken until the budget is looked at again. Compiled templates pay as `spend` does,
    without the call: they take steps off it, and `look` once it is below zero.
    """

    __slots__ = ("_beyond", "_busy_until_s", "_until_s", "fail", "left", "limits")

    def __init__(self, limits: Limits, fail: Callable[[str], Exception]) -> None:
        """`fail` makes the engine's own exception, which knows where in the template it was raised."""
        self.limits = limits
        self.left = min(limits.steps, LOOK_STEPS)
        self._beyond = limits.steps - self.left
        self._busy_until_s = self._until_s = inf
        self.fail = fail

    def spend(self, steps: int = 1) -> None:
        """Pay for some steps; raises where the budget of steps or of time is used up."""
        self.left -= steps
        if self.left < 0:
            self.look()

    def look(self) -> None:
        """See what is left of the budget. The clocks are started at the first look: most renders never come to it.

        The wall clock costs next to nothing. Where it says that time is up, the processor's clock says whether
        that was this template's doing: while the machine does other things, its time does not run.
        """
        beyond = self._beyond + self.left
        if beyond < 0:
            raise self.fail(f"the template takes more than {self.limits.steps:,} steps")
        self.left = min(beyond, LOOK_STEPS)
        self._beyond = beyond - self.left
        now_s, allowed_s = perf_counter(), self.limits.render_ms / 1000
        if self._until_s == inf:
            self._busy_until_s, self._until_s = thread_time() + allowed_s, now_s + allowed_s
        elif now_s > self._until_s:
            left_s = self._busy_until_s - thread_time()
            if left_s <= 0:
                raise self.fail(f"the template takes more than {self.limits.render_ms:g} ms")
            self._until_s = now_s + left_s

    def afford(self, size: int) -> None:
        """Ask before making a value of so many bytes."""
        if size > self.limits.value_bytes:
            raise self.fail(f"a value would be larger than {self.limits.value_bytes:,} bytes")

    def glance(self, value: object) -> None:
        """Pay for a value made of others that are there already, each at most once; raises where it is too large."""
        if isinstance(value, _CONTAINERS):
            entries = _entries(value)
            self.spend(entries)
            self.afford(ENTRY_BYTES * entries)
        else:
            self.measure(value)

    def measure(self, value: object) -> None:
        """Pay for a value that was made, by its size with all that it holds; raises where it is too large."""
        if isinstance(value, str):
            self.spend(len(value) // STEP_BYTES)
            self.afford(len(value))
        elif isinstance(value, _CONTAINERS):
            size = self.weigh(value)
            self.spend(size // ENTRY_BYTES)
            self.afford(size)
        elif isinstance(value, int) and value.bit_length() > MAX_INT_BITS:
            raise self.fail(f"a number would have more than {MAX_INT_BITS:,} bits")

    def pay(self, value: object) -> None:
        """Pay for looking through a value, as a comparison does; it may be larger than what a template may make."""
        if isinstance(value, str):
            self.spend(len(value) // STEP_BYTES)
        elif isinstance(value, range):
            self.spend(len(value) // ENTRY_BYTES)
        elif isinstance(value, _CONTAINERS):
            self.spend(self.weigh(value) // ENTRY_BYTES)

    def weigh(self, value: object) -> int:
        """Return the size of a value with all that it holds, or somewhat more than the limit."""
        return self._weigh(value, self.limits.value_bytes)

    def _weigh(self, value: object, room: int) -> int:
        """Return the size of a nested value, shared parts as often as they occur. Stops once it exceeds `room`."""
        if isinstance(value, str):
            return len(value)
        inner: Iterable[object]
        if isinstance(value, dict):
            size, inner = ENTRY_BYTES * 2 * _entries(value), chain.from_iterable(dict.items(value))
        elif isinstance(value, list):
            size, inner = ENTRY_BYTES * _entries(value), list.__iter__(value)
        elif isinstance(value, tuple):
            size, inner = ENTRY_BYTES * len(value), value
        else:
            return 0
        for part in inner:
            if size > room:
                break
            size += self._weigh(part, room - size)
        return size


def _entries(value: list[object] | tuple[object, ...] | dict[object, object]) -> int:
    """Count entries. Asks the built-in types: measuring is no read of a value, also where a subclass notes reads."""
    if isinstance(value, dict):
        return dict.__len__(value)
    return list.__len__(value) if isinstance(value, list) else len(value)


def fits(text: str, limit: int) -> bool:
    """Whether a text has at most so many bytes in UTF-8; encodes it only where that is in doubt."""
    return len(text) * 4 <= limit or (len(text) <= limit and len(text.encode("utf-8", "surrogatepass")) <= limit)


def magnitude(number: int | float | Decimal) -> int:
    """Bits that a number takes, where it can grow without bound; 64 for the others."""
    return number.bit_length() if isinstance(number, int) else 64
