"""Where hashing puts a visitor, with an account of it; `tessera.rules.compile` does the same, faster."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, NamedTuple

from tessera.rules.ruleset import Experiment
from tessera.rules.shares import Hashed, Rollout, step_at
from tessera.rules.split import bucket, choose, in_namespace

Read = Callable[[str], Any]
"""Gives the value of a fact by name, None where it is unknown."""


OUTSIDE = -1
"""The bucket of whoever takes no part at all."""


class Unit(NamedTuple):
    """What is hashed: a value, and the name of the fact that has it."""

    value: str
    fact: str


class Seat(NamedTuple):
    """Where a visitor is put: the index of an arm (0 for a rollout), -1 for none, and why in words.

    `until` is the moment at which who has no seat could get one (None: never by time alone). `unit` is the name of the
    fact that was hashed, None where all that could be are unknown; `bucket` its place in [0, 1), None where it was not
    asked for. `holdout` names the holdout that keeps the visitor out; `kept` says that a sticky experiment left them on
    the arm that they were first shown, whatever the hash.
    """

    arm: int
    verdict: Literal["matched", "unmatched", "unknown"]
    why: str = ""
    until: datetime | None = None
    unit: str | None = None
    bucket: float | None = None
    holdout: str | None = None
    kept: bool = False


def unit_of(hashed: Hashed, read: Read) -> Unit | None:
    """The unit, or what stands in for it; empty text counts as unknown, as in GrowthBook."""
    for name in (hashed.unit, hashed.fallback):
        value = read(name) if name is not None else None
        if name is not None and value is not None and value != "":
            return Unit(str(value), name)
    return None


def seat_in(experiment: Experiment, read: Read, now: datetime, at_bucket: float | None = None) -> Seat:
    """The arm of an experiment, whose dates and status are not asked.

    `at_bucket`, in [0, 1), stands in for the hash; holdouts and groups are then left aside.
    """
    place, unit = at_bucket, None
    ranges, until = experiment.ranges_at(now)
    if place is None:
        for holdout in experiment.holdouts:
            if _share_holds(holdout, holdout.share, read):
                why = f"holdout {holdout.name} keeps the visitor out of experiment {experiment.name}"
                return Seat(-1, "unmatched", why, holdout=holdout.name)
    first_shown = read(experiment.assigned) if experiment.assigned is not None and place != OUTSIDE else None
    if first_shown in experiment.arms:
        return Seat(experiment.arms.index(first_shown), "matched", kept=True)
    if place is None:
        unit = unit_of(experiment, read)
        if unit is None:
            return Seat(-1, "unknown", f"{_names(experiment)}, which the experiment splits by, is unknown")
        if experiment.namespace and not in_namespace(unit.value, *experiment.namespace):
            why = f"the visitor is not in its part of group {experiment.namespace[0]}"
            return Seat(-1, "unmatched", why, unit=unit.fact)
        place = bucket(experiment.seed, unit.value, experiment.hash_version)
    assert place is not None, experiment.hash_version
    fact = unit.fact if unit else None
    arm = choose(place, ranges)
    if arm >= 0:
        return Seat(arm, "matched", unit=fact, bucket=place)
    return Seat(-1, "unmatched", f"experiment {experiment.name} leaves this bucket out", until, fact, place)


def seat_by(rollout: Rollout, read: Read, now: datetime, at_bucket: float | None = None) -> Seat:
    """Whether a rollout has reached the visitor; `at_bucket` as in `seat_in`."""
    share, until = step_at(rollout.steps, now)
    place, unit = at_bucket, None
    if place is None:
        unit = unit_of(rollout, read)
        if unit is None:
            return Seat(-1, "unknown", f"{_names(rollout)}, which the rollout goes by, is unknown")
        place = bucket(rollout.seed, unit.value, rollout.hash_version)
    assert place is not None, rollout.hash_version
    fact = unit.fact if unit else None
    if share is not None and place < share:
        return Seat(0, "matched", unit=fact, bucket=place)
    why = "the rollout has not begun" if share is None else f"the rollout is at {share * 100:.6g} %"
    return Seat(-1, "unmatched", why, until, fact, place)


def _share_holds(hashed: Hashed, share: float, read: Read) -> bool:
    unit = unit_of(hashed, read)
    place = None if unit is None else bucket(hashed.seed, unit.value, hashed.hash_version)
    return place is not None and place < share


def _names(hashed: Hashed) -> str:
    return hashed.unit if hashed.fallback is None else f"{hashed.unit} or {hashed.fallback}"
