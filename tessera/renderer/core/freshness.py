"""Ages and lifetimes of inputs. Time lives here: a cached fragment itself never grows old."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Freshness = Literal["fresh", "stale", "expired"]


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long an input is good: ``fresh_s`` seconds as it is, then ``grace_s`` seconds as a stand-in.

    Within its grace an input is used only where a newer one cannot be had (RFC 5861, section 4, calls that
    ``stale-if-error``).
    """

    fresh_s: float
    grace_s: float

    def judge(self, age_s: float) -> Freshness:
        """Say what an input of this age is worth. A clock that stepped back gives an age of 0."""
        if age_s < self.fresh_s:
            return "fresh"
        return "stale" if age_s < self.fresh_s + self.grace_s else "expired"


def seconds_until(moment: datetime | None, now: datetime) -> float:
    """Seconds from ``now`` to a horizon; infinite where nothing but new data can change the decision."""
    return float("inf") if moment is None else max(0.0, (moment - now).total_seconds())
