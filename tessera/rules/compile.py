"""A slot → a matcher that decides in microseconds. `tessera.rules.evaluate` says what it decides; the two agree."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tessera.rules.closures import Clock, Compiler, Condition, Get
from tessera.rules.conditions import Expr
from tessera.rules.demands import rule_reads
from tessera.rules.evaluate import Decision, decisions_of, default_of, is_disabled, usable
from tessera.rules.facts import CONSENT, REFUSED, TIMEZONE, Value
from tessera.rules.findings import FAULTS
from tessera.rules.index import RuleIndex
from tessera.rules.predicates import Predicate, compile_predicate
from tessera.rules.ruleset import Rule, Ruleset
from tessera.rules.schedule import Watched
from tessera.rules.seats import ReadyRollout, ReadySplit

INDEX_FROM = 8
"""How many rules a slot needs for an index of them to cost less than asking each."""


class Truth(NamedTuple):
    """What a condition comes to, None where that is unknown, and until when; None where time does not change it."""

    value: bool | None
    until: datetime | None


class Matcher:
    """One slot, ready to decide."""

    __slots__ = ("_candidates", "_default", "_steps")

    def __init__(self, candidates: "_Candidates", default: Decision, steps: "Sequence[_Step] | None" = None) -> None:
        """`steps` are the same rules for the short way, None where going through them all would be the longer one."""
        self._candidates = candidates
        self._default = default
        self._steps = steps

    def decide(self, facts: Mapping[str, Value], now: datetime, ages: Mapping[str, float] | None = None) -> Decision:
        """The decision for these facts at `now` (aware). Never raises.

        A fact that is absent has its default, or is unknown. `ages` holds, for each fact that is stale, its age in
        seconds: only rules that say `on_unknown: stale` read it, and it is unknown to the others.
        """
        if self._steps is not None and not ages:
            try:
                return self._walk(self._steps, facts, now)
            except FAULTS:
                pass  # gone through again, to tell which rule it was
        clock = Clock(now)
        decision = None
        failed: tuple[str, ...] = ()
        for row, settled in self._candidates(facts, now, ages):
            before = clock.until
            try:
                decision = row.decide(facts, clock, ages, settled)
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

    def _walk(self, steps: "Sequence[_Step]", facts: Mapping[str, Value], now: datetime) -> Decision:
        """Decide where no fact is stale and no rule fails: what most requests come for."""
        get = facts.get
        clock: Clock | None = None
        for predicate, at_once, row in steps:
            if predicate is not None and not predicate(get):
                continue
            if at_once is None:
                if clock is None:
                    clock = Clock(now)
                at_once = row.decide(facts, clock, None, predicate is not None)
                if at_once is None:
                    continue
            if clock is None or clock.until is None:
                return at_once
            break
        else:
            at_once = self._default
            if clock is None or clock.until is None:
                return at_once
        return Decision(at_once.outcome, at_once.reason, at_once.rule, at_once.assignment, clock.until)


_Step = tuple[Predicate | None, Decision | None, "_Row"]
"""A rule; its predicate, where it has one; and its decision, where that is all there is to the rule."""


def compile_slot(ruleset: Ruleset, page: str, slot: str, index_from: int = INDEX_FROM) -> Matcher:
    """The matcher of a slot, or of a page's layouts for `layout`; raises KeyError when there is no such slot.

    From `index_from` rules on, an index says which of them to ask; what is decided is the same.
    """
    found = ruleset.slot(page, slot)
    compiler = Compiler(ruleset.computed)
    rules = [] if found.disabled else [rule for rule in found.rules if not is_disabled(rule)]
    rows = [_Row(rule, ruleset, compiler) for rule in rules]
    default = default_of(found)
    if len(rules) < index_from:
        return Matcher(lambda facts, now, ages: ((row, False) for row in rows), default, _steps(rows, rules, ruleset))
    return Matcher(_indexed(rows, RuleIndex(rules, ruleset.computed)), default)


_Candidates = Callable[
    [Mapping[str, Value], datetime, Mapping[str, float] | None],
    Iterator[tuple["_Row", bool]],
]
"""The rules to ask, in order, for the facts, the moment and the ages that are to be decided on; and of each, whether
its condition is known to be true already."""


def _steps(rows: Sequence["_Row"], rules: Sequence[Rule], ruleset: Ruleset) -> Sequence[_Step]:
    """The same rules for the short way."""
    steps: list[_Step] = []
    for row, rule in zip(rows, rules, strict=True):
        predicate = _predicate(rule, ruleset)
        settled = predicate is not None or rule.when is None
        plain = settled and rule.during is None and rule.rollout is None and rule.split is None
        steps.append((predicate, decisions_of(rule)[0] if plain else None, row))
    return steps


def _indexed(rows: Sequence["_Row"], index: RuleIndex) -> _Candidates:
    """The rules that an index leaves."""

    def candidates(
        facts: Mapping[str, Value], now: datetime, ages: Mapping[str, float] | None
    ) -> Iterator[tuple[_Row, bool]]:
        fresh, _ = usable(facts, now, ages, None)
        for place, certain in index.candidates(fresh, bool(ages)):
            yield rows[place], certain

    return candidates


def _predicate(rule: Rule, ruleset: Ruleset) -> Predicate | None:
    """Where it is given and false, and no fact is stale, the rule does not match."""
    if rule.when is None or rule.on_unknown.policy == "match":
        return None
    return compile_predicate(rule.when, ruleset.computed)


class _Row:
    """One rule, ready to decide; its condition is compiled when it is first asked, which an index often spares."""

    __slots__ = (
        "_accepts",
        "_compiler",
        "_consent",
        "_decisions",
        "_during",
        "_fails",
        "_holds",
        "_limit",
        "_reads",
        "_rollout",
        "_split",
        "_when",
        "_zone",
        "name",
    )

    def __init__(self, rule: Rule, ruleset: Ruleset, compiler: Compiler) -> None:
        self.name = rule.name
        self._when = rule.when
        self._compiler = compiler
        self._holds: Condition | None = None
        self._during = Watched(rule.during) if rule.during is not None else None
        self._rollout = ReadyRollout(rule.rollout, ruleset) if rule.rollout else None
        self._split = ReadySplit(rule.split.experiment, ruleset) if rule.split else None
        self._decisions = decisions_of(rule)
        self._accepts = rule.on_unknown.policy == "match"
        self._fails: Condition | None = None
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
        if self._when is not None and not settled and not self._passes(self._when, get, clock):
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

    def _passes(self, when: Expr, get: Get, clock: Clock) -> bool:
        """Whether the condition lets the rule match."""
        if self._accepted(get):
            if self._fails is None:
                self._fails = self._compiler.condition(when, wanted=False)
            return not self._fails(get, clock)
        if self._holds is None:
            self._holds = self._compiler.condition(when)
        return self._holds(get, clock)

    def _accepted(self, get: Get) -> bool:
        """Whether the rule matches although its condition is unknown."""
        return self._accepts and get(CONSENT, self._consent) != REFUSED


def compile_fact(ruleset: Ruleset, name: str) -> Callable[[Mapping[str, Value], datetime], Truth]:
    """What a segment or a computed fact comes to, for whoever reads it outside of a condition.

    Raises KeyError where the name is not that of one; segments that the profile delivers are not.
    """
    come_to = Compiler(ruleset.computed).truth(ruleset.computed[name])

    def truth(facts: Mapping[str, Value], now: datetime) -> Truth:
        clock = Clock(now)
        try:
            return Truth(come_to(facts.get, clock), clock.until)
        except FAULTS:
            return Truth(None, None)

    return truth
