"""Shares of all visitors: those whom a holdout keeps out of experiments, and those whom a rollout has reached.

Who belongs to a share is told by hashing, as in experiments: whoever's bucket is less than the share. So a share that
grows keeps everybody it has. GrowthBook puts the same visitors into the range from 0 to the share.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from tessera.rules.source import Span

S = TypeVar("S")
Status = Literal["running", "paused", "stopped"]


class Hashed(Protocol):
    """Whatever divides visitors by a hash of the fact `unit`, or of `fallback` where that is unknown."""

    @property
    def unit(self) -> str: ...
    @property
    def fallback(self) -> str | None: ...
    @property
    def seed(self) -> str: ...
    @property
    def hash_version(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Holdout:
    """Visitors who are in none of the experiments that it covers; `share` in [0, 1] says how many of all they are.

    `covers` names the experiments, None for all of them. A holdout that does not run keeps nobody out.
    """

    name: str
    unit: str
    fallback: str | None
    seed: str
    hash_version: int
    status: Status
    share: float
    covers: tuple[str, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class Rollout:
    """Visitors who are reached step by step. `steps` pairs moments in order with growing shares in [0, 1]."""

    unit: str
    fallback: str | None
    seed: str
    hash_version: int
    steps: tuple[tuple[datetime, float], ...]

    @property
    def name(self) -> str:
        """What recorded buckets call it: those of one seed have the same."""
        return f"rollout:{self.seed}"


def step_at(steps: tuple[tuple[datetime, S], ...], now: datetime) -> tuple[S | None, datetime | None]:
    """What holds at `now`, None before the first step; and the moment of the next step, None after the last."""
    current = None
    for moment, step in steps:
        if now < moment:
            return current, moment
        current = step
    return current, None
