"""Ages and lifetimes of inputs. Time lives here: a cached fragment itself never grows old."""

from dataclasses import dataclass
from datetime import datetime
from math import log
from typing import Literal

Freshness = Literal["fresh", "refreshing", "stale", "expired"]

EARLIEST = 53 * log(2)
"""The earliest that `lead_s` can say, in durations of the fetch: a draw has 53 bits."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long an input is good: ``fresh_s`` seconds as it is, then as one of two stand-ins, counted from there.

    For ``stale_s`` seconds it is still used as it is, while a newer one is fetched behind (RFC 5861, section 3,
    ``stale-while-revalidate``). For ``grace_s`` seconds it is used where a newer one cannot be had (section 4,
    ``stale-if-error``). That there is no such thing is fresh for ``missing_s`` seconds at most.
    """

    fresh_s: float
    grace_s: float
    stale_s: float = 0.0
    missing_s: float = float("inf")

    def judge(self, past_s: float) -> Freshness:
        """Say what an input is worth so many seconds past the end of its fresh life; negative is before it."""
        if past_s < 0:
            return "fresh"
        if past_s < self.stale_s:
            return "refreshing"
        return "stale" if past_s < self.grace_s else "expired"


def lead_s(fetch_s: float, draw: float) -> float:
    """Return how many seconds before its end an answer is to be fetched anew, by one request's own draw.

    ``draw`` is from above 0 to 1. The longer the fetch took, the earlier; most requests draw next to nothing, so that
    one of many goes ahead instead of all of them at the end (XFetch with a beta of 1, the best there: Vattani,
    Chierichetti and Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015).
    """
    return fetch_s * -log(draw)


def seconds_until(moment: datetime | None, now: datetime) -> float:
    """Seconds from ``now`` to a horizon; infinite where nothing but new data can change the decision."""
    return float("inf") if moment is None else max(0.0, (moment - now).total_seconds())
