"""Experiments and rollouts, ready to place visitors fast. `tessera.rules.assign` says what comes out; the two agree."""

from datetime import datetime

from tessera.rules.closures import Clock, Get
from tessera.rules.ruleset import Experiment, Ruleset
from tessera.rules.shares import Hashed, Rollout, step_at
from tessera.rules.split import bucketer, choose, in_namespace


class _Hash:
    """The unit of something hashed, and its hash with the seed's part done once."""

    __slots__ = ("_default", "_fallback", "_fallback_default", "_unit", "bucket")

    def __init__(self, hashed: Hashed, ruleset: Ruleset) -> None:
        self._unit = hashed.unit
        self._default = ruleset.facts[hashed.unit].default
        self._fallback = hashed.fallback
        self._fallback_default = ruleset.facts[hashed.fallback].default if hashed.fallback is not None else None
        bucket_of = bucketer(hashed.seed, hashed.hash_version)
        assert bucket_of is not None, hashed.hash_version
        self.bucket = bucket_of

    def unit(self, get: Get) -> str | None:
        """The value that is hashed, None where it is unknown."""
        unit = get(self._unit, self._default)
        if (unit is None or unit == "") and self._fallback is not None:
            unit = get(self._fallback, self._fallback_default)
        return None if unit is None or unit == "" else str(unit)


class ReadyRollout:
    """One rollout, ready to say whom it has reached."""

    __slots__ = ("_hash", "_steps")

    def __init__(self, rollout: Rollout, ruleset: Ruleset) -> None:
        self._hash = _Hash(rollout, ruleset)
        self._steps = rollout.steps

    def reached(self, get: Get, clock: Clock, before: datetime | None) -> bool:
        """Whether it has reached the visitor; `before` is until when what came before this rule holds."""
        share, until = step_at(self._steps, clock.now)
        unit = self._hash.unit(get)
        if unit is not None and share is not None and self._hash.bucket(unit) < share:
            return True
        clock.until = before
        if unit is not None:
            clock.note(until)
        return False


class ReadySplit:
    """One running experiment, ready to assign."""

    __slots__ = ("_arms", "_assigned", "_ends", "_hash", "_holdouts", "_namespace", "_ranges_at", "_starts")

    def __init__(self, experiment: Experiment, ruleset: Ruleset) -> None:
        self._hash = _Hash(experiment, ruleset)
        self._holdouts = [(_Hash(each, ruleset), each.share) for each in experiment.holdouts]
        self._assigned = experiment.assigned
        self._arms = {arm: index for index, arm in enumerate(experiment.arms)}
        self._ranges_at = experiment.ranges_at
        self._starts = experiment.starts
        self._ends = experiment.ends
        self._namespace = experiment.namespace

    def arm(self, get: Get, clock: Clock, before: datetime | None) -> int:
        """The index of the visitor's arm, -1 for none; `before` is until when what came before this rule holds."""
        if self._starts is not None and clock.now < self._starts:
            clock.until = before
            clock.note(self._starts)
            return -1
        if (self._ends is not None and clock.now >= self._ends) or self._held_out(get):
            clock.until = before
            return -1
        kept = self._arms.get(get(self._assigned)) if self._assigned is not None else None
        if kept is not None:
            clock.note(self._ends)
            return kept
        unit = self._hash.unit(get)
        if unit is None or (self._namespace and not in_namespace(unit, *self._namespace)):
            clock.until = before
            return -1
        ranges, grows = self._ranges_at(clock.now)
        arm = choose(self._hash.bucket(unit), ranges)
        if arm < 0:
            clock.until = before
            clock.note(grows)
        else:
            clock.note(self._ends)
        return arm

    def _held_out(self, get: Get) -> bool:
        for hashed, share in self._holdouts:
            unit = hashed.unit(get)
            if unit is not None and hashed.bucket(unit) < share:
                return True
        return False
