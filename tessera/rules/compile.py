"""A slot → a matcher that decides in microseconds. `tessera.rules.evaluate` says what it decides; the two agree."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tessera.rules.closures import Clock, Compiler, Get
from tessera.rules.demands import rule_reads
from tessera.rules.evaluate import Decision, decisions_of, is_disabled, usable
from tessera.rules.facts import CONSENT, REFUSED, TIMEZONE, Value
from tessera.rules.findings import FAULTS
from tessera.rules.predicates import compile_predicate
from tessera.rules.ruleset import Rule, Ruleset
from tessera.rules.schedule import Watched
from tessera.rules.seats import ReadyRollout, ReadySplit


class Truth(NamedTuple):
    """What a condition comes to, None where that is unknown, and until when; None where time does not change it."""

    value: bool | None
    until: datetime | None


class Matcher:
    """One slot, ready to decide."""

    __slots__ = ("_default", "_rows")

    def __init__(self, rows: Sequence["_Row"], default: Decision) -> None:
        self._rows = rows
        self._default = default

    def decide(self, facts: Mapping[str, Value], now: datetime, ages: Mapping[str, float] | None = None) -> Decision:
        """The decision for these facts at `now` (aware). Never raises.

        A fact that is absent has its default, or is unknown. `ages` holds, for each fact that is stale, its age in
        seconds: only rules that say `on_unknown: stale` read it, and it is unknown to the others.
        """
        clock = Clock(now)
        get = facts.get
        decision = None
        failed: tuple[str, ...] = ()
        for row in self._rows:
            before = clock.until
            try:
                certain = None if ages else row.certain
                if certain is not None and not certain(get):
                    continue
                decision = row.decide(facts, clock, ages, certain is not None)
            except FAULTS:
                clock.until = before
                failed += (row.name,)
            if decision is not None:
                break
        if decision is None:
            decision = self._default
        if clock.until is None and not failed:
            return decision
        return Decision(decision.outcome, decision.reason, decision.rule, decision.assignment, clock.until, failed)


def compile_slot(ruleset: Ruleset, page: str, slot: str) -> Matcher:
    """The matcher of a slot, or of a page's layouts for `layout`; raises KeyError when there is no such slot."""
    found = ruleset.slot(page, slot)
    compiler = Compiler(ruleset.computed)
    rows = [_Row(rule, ruleset, compiler) for rule in found.rules if not is_disabled(rule)]
    return Matcher(rows, Decision(found.default, "DEFAULT", None, None, None))


class _Row:
    """One rule, compiled. Where `certain` is given and false, and no fact is stale, the rule does not match."""

    __slots__ = (
        "_accepts",
        "_consent",
        "_decisions",
        "_during",
        "_holds",
        "_limit",
        "_reads",
        "_rollout",
        "_split",
        "_zone",
        "certain",
        "name",
    )

    def __init__(self, rule: Rule, ruleset: Ruleset, compiler: Compiler) -> None:
        self.name = rule.name
        self._holds = compiler.condition(rule.when) if rule.when is not None else None
        self.certain = None
        if rule.when is not None and rule.on_unknown.policy != "match":
            self.certain = compile_predicate(rule.when, ruleset.computed)
        self._during = Watched(rule.during) if rule.during is not None else None
        self._rollout = ReadyRollout(rule.rollout, ruleset) if rule.rollout else None
        self._split = ReadySplit(rule.split.experiment, ruleset) if rule.split else None
        self._decisions = decisions_of(rule)
        self._accepts = rule.on_unknown.policy == "match"
        self._limit = rule.on_unknown.limit
        self._reads = rule_reads(ruleset, rule) if self._limit is not None else frozenset()
        self._consent = ruleset.facts[CONSENT].default
        self._zone = ruleset.facts[TIMEZONE].default

    def decide(
        self, facts: Mapping[str, Value], clock: Clock, ages: Mapping[str, float] | None, settled: bool
    ) -> Decision | None:
        """The decision when the rule matches, without its `until`; what it depends on is noted on the clock.

        `settled` says that its condition is known to be true.
        """
        get: Get = facts.get
        used: Collection[str] = ()
        if ages:
            limit = None if get(CONSENT, self._consent) == REFUSED else self._limit
            facts, stale = usable(facts, clock.now, ages, limit)
            get = facts.get
            used = self._reads & stale.keys()
            for name in used:
                clock.note(stale[name])
        before = clock.until
        if self._holds is not None and not settled:
            verdict = self._holds(get, clock)
            if verdict is False or (verdict is None and not self._accepted(get)):
                return None
        if self._during is not None:
            is_open, until = self._during.state(clock.now, get(TIMEZONE, self._zone))
            if is_open is False:
                clock.until = before
            clock.note(until)
            if is_open is False or (is_open is None and not self._accepted(get)):
                return None
        if self._rollout is not None and not self._rollout.reached(get, clock, before):
            return None
        arm = 0
        if self._split is not None:
            arm = self._split.arm(get, clock, before)
            if arm < 0:
                return None
        decision = self._decisions[arm]
        return decision._replace(reason="STALE") if used else decision

    def _accepted(self, get: Get) -> bool:
        """Whether the rule matches although its condition is unknown."""
        return self._accepts and get(CONSENT, self._consent) != REFUSED


def compile_fact(ruleset: Ruleset, name: str) -> Callable[[Mapping[str, Value], datetime], Truth]:
    """What a segment or a computed fact comes to, for whoever reads it outside of a condition.

    Raises KeyError where the name is not that of one; segments that the profile delivers are not.
    """
    holds = Compiler(ruleset.computed).condition(ruleset.computed[name])

    def truth(facts: Mapping[str, Value], now: datetime) -> Truth:
        clock = Clock(now)
        try:
            return Truth(holds(facts.get, clock), clock.until)
        except FAULTS:
            return Truth(None, None)

    return truth
