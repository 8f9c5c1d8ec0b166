"""Decisions: what a slot shows one visitor at one moment, and why.

A slot's decision depends on its rules in order, down to the one that decides, and a rule on its condition, its window,
its rollout, its experiment, in this order: one that does not match holds until what kept it from matching could change,
and until the stale facts that it may read are too old for it. (Such a fact then counts as absent, which can turn a
condition either way: its default comes in, and `is unknown` is true.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from tessera.rules.assign import Seat, seat_by, seat_in
from tessera.rules.demands import rule_reads
from tessera.rules.facts import CONSENT, REFUSED, TIMEZONE, Value
from tessera.rules.findings import FAULTS, Finding, World, earliest, find
from tessera.rules.ruleset import Outcome, Rule, Ruleset, Slot

Reason = Literal["TARGETING_MATCH", "SPLIT", "DEFAULT", "STALE", "DISABLED", "ERROR"]
NO_BUCKETS: Mapping[str, float] = MappingProxyType({})
Verdict = Literal["matched", "unmatched", "unknown", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """The arm of an experiment that a visitor is on."""

    experiment: str
    arm: str
    version: int


class Decision(NamedTuple):
    """What a slot shows one visitor at one moment.

    `rule` is None where the default was left; `until` is the first moment at which time alone could change the
    decision, None when it never does; `failed` names the rules that were skipped because they failed.
    """

    outcome: Outcome
    reason: Reason
    rule: str | None
    assignment: Assignment | None
    until: datetime | None
    failed: tuple[str, ...] = ()


def usable(
    facts: Mapping[str, Value], now: datetime, ages: Mapping[str, float] | None, limit: timedelta | None
) -> tuple[Mapping[str, Value], Mapping[str, datetime]]:
    """The facts that a rule may read when some are stale, and until when it may read those that are.

    `ages` holds the age in seconds of stale facts only. Without a limit none of them is usable; with one, those that
    are younger.
    """
    if not ages:
        return facts, {}
    until = {}
    if limit is not None:
        for name in facts.keys() & ages.keys():
            left = limit - timedelta(seconds=ages[name])
            if left > timedelta(0):
                until[name] = now + left
    return {name: value for name, value in facts.items() if name not in ages or name in until}, until


def is_disabled(rule: Rule) -> bool:
    """Whether the rule is switched off, or its experiment paused or stopped: it is as if it were not there."""
    return rule.disabled or (rule.split is not None and rule.split.experiment.status != "running")


def decisions_of(rule: Rule) -> tuple[Decision, ...]:
    """The decisions that a rule can lead to when nothing about it is stale: one, or one per arm."""
    if rule.split is None:
        return tuple(Decision(shown, "TARGETING_MATCH", rule.name, None, None) for shown in rule.outcomes)
    experiment = rule.split.experiment
    return tuple(
        Decision(shown, "SPLIT", rule.name, Assignment(experiment.name, arm, experiment.version), None)
        for arm, shown in zip(experiment.arms, rule.outcomes, strict=True)
    )


def default_of(slot: Slot) -> Decision:
    """The decision for a slot's default, which no rule takes part in."""
    return Decision(slot.default, "DISABLED" if slot.disabled else "DEFAULT", None, None, None)


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """What became of one rule. `why` says it in words; `until` is when it could come out otherwise (None: never).

    `finding` accounts for the condition, None where there is none or it failed; `window` says whether the window is
    open, None where there is none or it is unknown; `bucket` is the visitor's place in [0, 1) of the experiment, else
    of the rollout, and `unit` the fact that was hashed for it; `holdout` names what keeps the visitor out, and
    `kept` says that the arm is the one that they were first shown.
    """

    name: str
    verdict: Verdict
    why: str
    until: datetime | None = None
    finding: Finding | None = None
    window: bool | None = None
    bucket: float | None = None
    unit: str | None = None
    holdout: str | None = None
    kept: bool = False
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """The full account of a decision: every rule of the slot, also those that were not reached."""

    page: str
    slot: str
    now: datetime
    rules: tuple[RuleTrace, ...]
    decision: Decision


def explain_slot(
    ruleset: Ruleset,
    page: str,
    slot: str,
    facts: Mapping[str, Value],
    now: datetime,
    ages: Mapping[str, float] | None = None,
    at_bucket: float | None = None,
    buckets: Mapping[str, float] = NO_BUCKETS,
) -> Trace:
    """Decide as `Matcher.decide` does, and account for it; raises KeyError when there is no such slot.

    `at_bucket`, in [0, 1), stands in for the visitor's bucket in every rollout and experiment, and `buckets` in those
    that it names (-1: the visitor takes no part); holdouts and groups are then left aside. A rollout is named by
    `rollout:` and its seed.
    """
    found = ruleset.slot(page, slot)
    if found.disabled:
        off = tuple(RuleTrace(rule.name, "skipped", "the slot is switched off") for rule in found.rules)
        return Trace(page, slot, now, off, default_of(found))
    rules = tuple(_Account(ruleset, rule, facts, now, ages, at_bucket, buckets).trace() for rule in found.rules)
    decision = default_of(found)
    until: datetime | None = None
    failed: tuple[str, ...] = ()
    for rule in rules:
        until = earliest(until, rule.until)
        if rule.verdict == "failed":
            failed += (rule.name,)
        if rule.decision is not None:
            decision = rule.decision
            break
    return Trace(page, slot, now, rules, decision._replace(until=until, failed=failed))


class _Account:
    """Follows one rule from its condition to its verdict."""

    def __init__(
        self,
        ruleset: Ruleset,
        rule: Rule,
        facts: Mapping[str, Value],
        now: datetime,
        ages: Mapping[str, float] | None,
        at_bucket: float | None,
        buckets: Mapping[str, float],
    ) -> None:
        self._ruleset = ruleset
        self._rule = rule
        self._now = now
        self._at_bucket = at_bucket
        self._buckets = buckets
        self._refused = facts.get(CONSENT, ruleset.facts[CONSENT].default) == REFUSED
        self._accepts = rule.on_unknown.policy == "match" and not self._refused
        self._facts, stale = usable(facts, now, ages, None if self._refused else rule.on_unknown.limit)
        used = rule_reads(ruleset, rule) & stale.keys()
        self._stale_until = earliest(*(stale[name] for name in used))
        self._so_far = RuleTrace(rule.name, "matched", "", self._stale_until)

    def trace(self) -> RuleTrace:
        rule = self._rule
        if rule.disabled:
            return RuleTrace(rule.name, "skipped", "it is switched off")
        if is_disabled(rule) and rule.split is not None:
            experiment = rule.split.experiment
            return RuleTrace(rule.name, "skipped", f"experiment {experiment.name} is {experiment.status}")
        try:
            return self._condition() or self._window() or self._rollout() or self._split() or self._match(0)
        except FAULTS:
            return self._failed()

    def _condition(self) -> RuleTrace | None:
        """The end of the rule, if its condition is that."""
        if self._rule.when is None:
            return None
        world = World(self._facts, self._now, self._ruleset.computed)
        finding = find(self._rule.when, world, wanted=not self._accepts)
        self._so_far = replace(self._so_far, finding=finding)
        if finding.failed:
            return self._failed()
        return self._goes_on(finding.value, finding.until, "the condition is")

    def _window(self) -> RuleTrace | None:
        if self._rule.during is None:
            return None
        is_open, until = self._rule.during.state(self._now, self._fact(TIMEZONE))
        self._so_far = replace(self._so_far, window=is_open)
        return self._goes_on(is_open, until, "that the window is open is")

    def _goes_on(self, truth: bool | None, until: datetime | None, subject: str) -> RuleTrace | None:
        if truth is False:
            return self._ends("unmatched", f"{subject} false", until)
        self._so_far = replace(self._so_far, until=earliest(self._so_far.until, until))
        if truth is None and not self._accepts:
            policy = "consent is refused" if self._refused else f"on_unknown is {self._rule.on_unknown}"
            return self._ends("unknown", f"{subject} unknown, and {policy}", self._so_far.until)
        return None

    def _split(self) -> RuleTrace | None:
        if self._rule.split is None:
            return None
        experiment = self._rule.split.experiment
        if experiment.starts is not None and self._now < experiment.starts:
            return self._ends("unmatched", f"experiment {experiment.name} has not begun", experiment.starts)
        if experiment.ends is not None and self._now >= experiment.ends:
            return self._ends("unmatched", f"experiment {experiment.name} is over")
        seat = seat_in(experiment, self._fact, self._now, self._place(experiment.name))
        return self._seated(seat, experiment.ends) or self._match(seat.arm)

    def _rollout(self) -> RuleTrace | None:
        """The end of the rule, if its rollout has not reached the visitor."""
        if self._rule.rollout is None:
            return None
        rollout = self._rule.rollout
        return self._seated(seat_by(rollout, self._fact, self._now, self._place(rollout.name)), None)

    def _place(self, name: str) -> float | None:
        return self._buckets.get(name, self._at_bucket)

    def _seated(self, seat: Seat, until: datetime | None) -> RuleTrace | None:
        """The end of the rule for who has no seat; who has one keeps it until then."""
        self._so_far = replace(self._so_far, bucket=seat.bucket, unit=seat.unit, holdout=seat.holdout, kept=seat.kept)
        if seat.arm < 0:
            return self._ends(seat.verdict, seat.why, seat.until)
        self._so_far = replace(self._so_far, until=earliest(self._so_far.until, until))
        return None

    def _match(self, arm: int) -> RuleTrace:
        decision = decisions_of(self._rule)[arm]
        if self._stale_until is not None:
            decision = decision._replace(reason="STALE")
        unknown = self._so_far.finding is not None and self._so_far.finding.value is None
        why = "the condition is unknown, and on_unknown is match" if unknown else "everything it asks for is true"
        return replace(self._so_far, why=why, decision=decision)

    def _ends(self, verdict: Verdict, why: str, until: datetime | None = None) -> RuleTrace:
        return replace(self._so_far, verdict=verdict, why=why, until=earliest(self._stale_until, until))

    def _failed(self) -> RuleTrace:
        why = "a value is not of its fact's type, so the rule is skipped"
        return replace(self._so_far, verdict="failed", why=why, until=None)

    def _fact(self, name: str) -> Any:
        return self._facts.get(name, self._ruleset.facts[name].default)
