"""What is counted, and the counts of one process.

Every series is known beforehand, so each is one cell in a list of integers: counting takes some 0.05 µs, names no
visitor, and can never grow. `metrics` tells the counts to Prometheus.
"""

import asyncio
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import Literal, get_args

from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceNotAsked, SourceTimeout, SourceUnavailable
from tessera.renderer.timing import STAGES
from tessera.rules.evaluate import Reason

Kind = Literal["counter", "gauge", "seconds"]
Found = Literal["memory", "redis", "coalesced", "miss"]

ROUTES = (
    *("fragments", "pages", "context", "batch"),
    *("visitor", "exposures", "events", "preview", "assets", "podium", "healthz", "readyz", "-", "other"),
)
STATUSES = (200, 201, 202, 204, 303, 304, 400, 401, 403, 404, 405, 413, 500, 503)
ANY_STATUS = "other"
SOURCES = ("profile", "items", "catalogue", "cart", "events", "assignments", "flags")
FAILURES = (SourceTimeout, SourceUnavailable, SourceNotAsked, SourceGarbled, SourceError)
OUTCOMES = ("ok", *(failure.kind for failure in FAILURES))

FAST_S = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
OLD_S = (0.1, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
NS = 1_000_000_000
TELL_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Family:
    """Series of one name. ``at`` has the cell of each, by the values of its labels: one alone, or a tuple.

    A counter or gauge takes one cell. Seconds take one for each of ``bounds``, one for what is beyond them all, and
    one for the sum in nanoseconds.
    """

    name: str
    help: str
    kind: Kind
    labels: tuple[str, ...]
    bounds: tuple[float, ...]
    at: Mapping[object, int]

    @property
    def cells(self) -> int:
        """How many cells each series takes."""
        return len(self.bounds) + 2 if self.kind == "seconds" else 1


class _Layout:
    """Gives out cells, in order."""

    def __init__(self) -> None:
        self.families: list[Family] = []
        self.cells = 0

    def family(
        self,
        name: str,
        told: str,
        kind: Kind = "counter",
        *,
        bounds: tuple[float, ...] = (),
        **labels: Sequence[object],
    ) -> Family:
        """Give each combination of the labels' values its cells."""
        width = len(bounds) + 2 if kind == "seconds" else 1
        series: list[object] = [each[0] if len(labels) == 1 else each for each in product(*labels.values())]
        at = {each: self.cells + width * number for number, each in enumerate(series)}
        self.cells += width * len(series)
        made = Family(name, told, kind, tuple(labels), bounds, MappingProxyType(at))
        self.families.append(made)
        return made

    def one(self, name: str, told: str, kind: Kind = "counter") -> int:
        """Give out the cell of a family without labels."""
        return self.family(name, told, kind).at[()]


_layout = _Layout()
_of_all = _layout.family(
    "requests", "Requests answered, by route and status.", route=ROUTES, status=(*STATUSES, ANY_STATUS)
)
REQUESTS: Mapping[str, Mapping[int, int]] = {
    route: {status: _of_all.at[route, status] for status in STATUSES} for route in ROUTES
}
REQUESTS_OTHERWISE = {route: _of_all.at[route, ANY_STATUS] for route in ROUTES}
IN_FLIGHT = _layout.one("requests_in_flight", "Fragments and pages that are being answered now.", "gauge")
SHED = _layout.one("requests_shed", "Fragments and pages that were answered without asking anybody, to shed load.")
REQUEST_S = _layout.family(
    "request_seconds",
    "How long fragments and pages took, of a sample of one in 64.",
    "seconds",
    bounds=FAST_S,
    route=("fragments", "pages"),
)
STAGE_S = _layout.family(
    "stage_seconds",
    "How long each stage of a fragment took, of the same sample.",
    "seconds",
    bounds=FAST_S,
    stage=STAGES,
)
CACHE = _layout.family("cache", "Fragments looked up, by where they were found.", outcome=get_args(Found))
DECISIONS = _layout.family("decisions", "Slots and layouts decided, by reason.", reason=get_args(Reason))
FALLBACKS = _layout.family(
    "fallbacks", "Slots and layouts that got less than they should have.", rung=("stale", "default", "empty")
)
CALLS = _layout.family("adapter_calls", "Calls upstream, by outcome.", source=SOURCES, outcome=OUTCOMES)
CALL_S = _layout.family(
    "adapter_call_seconds", "How long calls upstream took.", "seconds", bounds=FAST_S, source=SOURCES
)
AGE_S = _layout.family(
    "input_age_seconds",
    "How old inputs were when they were used, of a sample of one request in 64.",
    "seconds",
    bounds=OLD_S,
    source=SOURCES,
)
MISFITS = _layout.one("misfits", "Values that did not fit their declared type, of the same sample of requests.")
FAILED_RULES = _layout.one("failed_rules", "Rules that failed while they were asked, and were skipped.")
RENDER_FAILURES = _layout.one("render_failures", "Slots whose template failed.")
RECORDING_DROPS = _layout.one("recording_drops", "Decisions that were to be recorded and could not be.")
VERIFIED = _layout.one("verified", "Hits that were rendered again to compare them.")
DIFFERED = _layout.one("verified_differences", "Those of them that came out otherwise.")
PURGES = _layout.one("purges", "Purges obeyed by each process.")

FAMILIES: tuple[Family, ...] = tuple(_layout.families)
CELLS = _layout.cells


class Tally:
    """The counts of one process. ``cells`` are theirs alone to write; the hot path does so itself.

    They are plain integers, which cost a tenth of shared ones to count up; `tell` lets other processes see them.
    """

    __slots__ = ("_shared", "cells")

    def __init__(self, shared: "memoryview[int] | None" = None) -> None:
        """``shared`` are cells that others can read, where there are others; counting goes on from there."""
        self._shared = shared
        self.cells = [0] * CELLS if shared is None else shared.tolist()

    def add(self, cell: int, count: int = 1) -> None:
        """Count something."""
        self.cells[cell] += count

    def observe(self, family: Family, series: object, seconds: float) -> None:
        """Count something that took, or is old, so many seconds: 0 or more."""
        start = family.at[series]
        self.cells[start + bisect_left(family.bounds, seconds)] += 1
        self.cells[start + len(family.bounds) + 1] += int(seconds * NS)

    def tell(self) -> None:
        """Let other processes see the counts as they are now. Takes some 10 µs."""
        if self._shared is not None:
            self._shared[:] = memoryview(array("Q", self.cells))

    async def keep_telling(self) -> None:
        """Let them see the counts each second, until cancelled, and then once more."""
        try:
            while True:
                await asyncio.sleep(TELL_EVERY_S)
                self.tell()
        finally:
            self.tell()
