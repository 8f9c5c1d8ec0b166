"""Deterministic splits, equal to GrowthBook's in every bucket.

A visitor's bucket is a number in [0, 1) hashed from the experiment's seed and the visitor's id; each arm owns ranges
of that line, start included, end excluded. Hashing, ranges and namespaces follow GrowthBook's JavaScript SDK, whose
published vectors (https://docs.growthbook.io/lib/build-your-own, spec 0.8.0) are the conformance suite, so that a
visitor lands on the same side in any of its SDKs.
"""

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

Range = tuple[float, float]
Arms = tuple[tuple[Range, ...], ...]
Bucketer = Callable[[str], float]

BUCKETS = {1: 1_000, 2: 10_000}
"""How many buckets the line has, by hash version."""


def _fnv1a32(text: str, state: int = 0x811C9DC5) -> int:
    """FNV-1a over UTF-16 code units, as JavaScript's `charCodeAt` reads them; `state` continues an earlier hash."""
    units: Iterable[int]
    if text.isascii():
        units = text.encode("ascii")
    else:
        encoded = text.encode("utf-16-le", "surrogatepass")
        units = struct.unpack(f"<{len(encoded) // 2}H", encoded)
    for unit in units:
        state = (state ^ unit) * 0x01000193 & 0xFFFFFFFF
    return state


def bucketer(seed: str, hash_version: int) -> Bucketer | None:
    """The bucket function of one experiment, with the seed's part of the hash done once; None: no such version."""
    if hash_version == 1:
        return lambda value: _fnv1a32(value + seed) % 1_000 / 1_000
    if hash_version == 2:
        prefix = _fnv1a32(seed)
        return lambda value: _fnv1a32(str(_fnv1a32(value, prefix))) % 10_000 / 10_000
    return None


def bucket(seed: str, value: str, hash_version: int) -> float | None:
    """The bucket of `value`: in thousandths for version 1, in ten-thousandths for version 2, None for any other."""
    hash_value = bucketer(seed, hash_version)
    return None if hash_value is None else hash_value(value)


def equal_weights(count: int) -> tuple[float, ...]:
    """Weights of `count` arms that share evenly; none for a count below one."""
    return (1 / count,) * count if count > 0 else ()


def bucket_ranges(count: int, coverage: float = 1.0, weights: Sequence[float] | None = None) -> tuple[Range, ...]:
    """GrowthBook's ranges: each arm starts where the weights before it end, and takes `coverage` of its weight.

    Like GrowthBook, clamps `coverage` to [0, 1] and falls back to equal weights when their number is not `count` or
    their sum strays more than 0.01 from one. Rule files never get that far: their weights must sum to 100.
    """
    coverage = min(max(coverage, 0.0), 1.0)
    if weights is None or len(weights) != count or not 0.99 <= sum(weights) <= 1.01:
        weights = equal_weights(count)
    ranges = []
    start = 0.0
    for weight in weights:
        ranges.append((start, start + coverage * weight))
        start += weight
    return tuple(ranges)


def arm_ranges(count: int, coverage: float, weights: Sequence[float]) -> Arms:
    """`bucket_ranges`, as the one range of each arm."""
    return tuple((each,) for each in bucket_ranges(count, coverage, weights))


def choose(n: float, arms: Sequence[Sequence[Range]]) -> int:
    """The index of the first arm that has a range which holds bucket `n`, or -1."""
    for index, ranges in enumerate(arms):
        for start, end in ranges:
            if start <= n < end:
                return index
    return -1


def in_namespace(value: str, namespace: str, start: float, end: float) -> bool:
    """Whether `value` is in the [start, end) part of a namespace, in which experiments exclude each other."""
    return start <= _fnv1a32(f"{value}__{namespace}") % 1_000 / 1_000 < end


def reweight(
    arms: Sequence[Sequence[Range]], weights: Sequence[float], hash_version: int = 2
) -> tuple[tuple[Range, ...], ...]:
    """Ranges per arm that give each its new weight and move as few visitors as possible.

    `arms` holds the present ranges of each arm, not overlapping; `weights` the new shares in [0, 1], summing to at
    most one, with new arms last. What no arm holds counts as one more arm, so that visitors enter or leave the
    experiment only as far as the sum changes. Visitors move only out of an arm that shrinks and into one that grows;
    cumulative ranges cannot do that from three arms on. Shares are whole buckets of the hash version (rounded by
    largest remainder), hence what moves is exactly the sum of the increases.

    Raises ValueError for weights or ranges that do not fit the line, or fewer weights than arms.
    """
    line = [index / BUCKETS[hash_version] for index in range(BUCKETS[hash_version] + 1)]
    if len(weights) < len(arms) or min(weights, default=0) < 0 or sum(weights) > 1 + 1e-9:
        raise ValueError("weights must be one per arm, not negative, and sum to at most 1")
    nobody = len(weights)
    owners = [nobody] * BUCKETS[hash_version]
    for arm, ranges in enumerate(arms):
        for start, end in ranges:
            for index in range(bisect_left(line, start), bisect_left(line, end)):
                if owners[index] != nobody:
                    raise ValueError("ranges must not overlap, and must lie between 0 and 1")
                owners[index] = arm
    surplus = [-size for size in _apportion((*weights, max(0.0, 1 - sum(weights))), len(owners))]
    for owner in owners:
        surplus[owner] += 1
    takers = [arm for arm, excess in enumerate(surplus) for _ in range(-excess)]
    for index in reversed(range(len(owners))):  # from the end, so that an arm keeps the front of its ranges
        if surplus[owners[index]] > 0:
            surplus[owners[index]] -= 1
            owners[index] = takers.pop()
    return tuple(_runs(owners, arm, line) for arm in range(len(weights)))


def _apportion(weights: Sequence[float], total: int) -> list[int]:
    """Whole parts of `total`, by largest remainder (https://en.wikipedia.org/wiki/Quota_method)."""
    exact = [round(weight * total, 6) for weight in weights]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda index: parts[index] - exact[index])
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts


def _runs(owners: Sequence[int], arm: int, line: Sequence[float]) -> tuple[Range, ...]:
    """The stretches of the line that `arm` owns, as ranges."""
    owned = [False, *(owner == arm for owner in owners), False]
    edges = [edge for edge, pair in zip(line, pairwise(owned), strict=True) if pair[0] != pair[1]]
    return tuple(zip(edges[::2], edges[1::2], strict=True))
