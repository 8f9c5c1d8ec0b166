"""Traces on which eviction policies are compared: what is asked for, one after the other, as numbers."""

from bisect import bisect
from collections.abc import Callable, Iterator
from itertools import accumulate
from random import Random

KEYS = 100_000
REQUESTS = 300_000


def zipf(random: Random, keys: int, alpha: float) -> Callable[[], int]:
    """Return what draws from ``keys`` numbers, the n-th of them in proportion to ``n ** -alpha``."""
    upto = list(accumulate((rank + 1) ** -alpha for rank in range(keys)))
    return lambda: bisect(upto, random.random() * upto[-1])


def traces() -> Iterator[tuple[str, list[int]]]:
    """Yield each trace with its name."""
    for alpha in (0.7, 0.9, 1.1):
        draw = zipf(Random(1), KEYS, alpha)
        yield f"Zipf {alpha}", [draw() for _ in range(REQUESTS)]
    draw = zipf(Random(2), KEYS, 0.9)
    yield (
        "scans between",
        [draw() if at % 30_000 < 20_000 else KEYS + at for at in range(REQUESTS)],
    )  # a crawler takes 10,000 new ones, again and again
    shuffled, anew = list(range(KEYS)), []
    for _ in range(6):
        Random(3).shuffle(shuffled)
        anew += [shuffled[draw()] for _ in range(REQUESTS // 6)]
    yield "popularity drawn anew", anew
    yield "popularity drifting", [draw() + at // 30 for at in range(REQUESTS)]
