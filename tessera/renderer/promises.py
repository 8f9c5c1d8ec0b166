"""What slots promise in their page's file: who may share their answers, and how many contexts those differ between."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, prod
from typing import NamedTuple

from tessera.renderer.core.inputs import fact_names
from tessera.renderer.core.scope import Scope, narrowest
from tessera.renderer.plans import OutcomePlan, SlotPlan
from tessera.rules.conditions import Expr, Test, Use, parts_of, tests_in
from tessera.rules.demands import fact_reads, outcome_reads
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.facts import CONSENT, LOCALE, TIMEZONE, Fact
from tessera.rules.proof.contexts import told_apart, values_of
from tessera.rules.ruleset import Page, Rule, Ruleset, Slot
from tessera.rules.source import Span

MAX_NAMED = 3
"""How many of the facts that cost most are named."""


class _Reader(NamedTuple):
    """Something that narrows who may share an answer: where it stands, what it is, and the scope that it leaves."""

    span: Span
    what: str
    scope: Scope


class Promises:
    """Holds slots to what they promise; `everybodys` are the facts that are the same for every visitor of the site."""

    def __init__(self, ruleset: Ruleset, locales: Sequence[str], everybodys: Collection[str]) -> None:
        self._ruleset = ruleset
        self._locales = locales
        self._everybodys = everybodys

    def broken(self, page: Page, slot: Slot, plan: SlotPlan, facts: Mapping[str, Fact]) -> Iterator[Diagnostic]:
        """Yield what breaks the promises of a slot, on a page with these facts by full name."""
        if slot.share is not None:
            for span, what, scope in self._readers(slot, plan, facts):
                if narrowest((slot.share, scope)) != slot.share:
                    message = f"slot `{slot.name}` is to be {slot.share}, but {what} is {scope}"
                    yield Diagnostic("R506", "error", message, span, f"promised in {slot.span.file}:{slot.span.line}")
        if slot.budget is not None:
            costs = self._costs(slot, plan, facts)
            for each in plan.before:
                for name, cost in self._costs(page.slots[each.name], each, facts).items():
                    costs[name] = costs.get(name, 1) * cost
            contexts = prod(costs.values())
            if contexts > slot.budget:
                number = "any number of" if contexts == inf else f"{contexts:,.0f}"
                message = f"slot `{slot.name}` differs between {number} contexts, and its budget is {slot.budget:,}"
                dearest = sorted(costs, key=lambda name: (-costs[name], name))[:MAX_NAMED]
                label = ", ".join(f"`{name}` {_count(costs[name])}" for name in dearest)
                yield Diagnostic("R507", "error", message, slot.span, f"most cost: {label}")

    def _readers(self, slot: Slot, plan: SlotPlan, facts: Mapping[str, Fact]) -> Iterator[_Reader]:
        for rule in slot.rules:
            for span, names in self._rule_reads(rule):
                yield from self._of_facts(span, names, facts)
            if rule.split is not None:
                yield _Reader(rule.span, f"what an arm of `{rule.split.experiment.name}` shows", "context")
        for outcome in plan.outcomes.values():
            for span, names in self._outcome_reads(outcome, plan.page, facts):
                yield from self._of_facts(span, names, facts)
            for each in outcome.lists:
                items = self._ruleset.lists[each.name]
                yield _Reader(items.span, f"list `{items.name}`", items.share)
        for other in plan.before:
            yield _Reader(slot.span, f"slot `{other.name}`, whose items it leaves out,", other.scope)

    def _of_facts(self, span: Span, names: Iterable[str], facts: Mapping[str, Fact]) -> Iterator[_Reader]:
        """Yield the reader of facts that are not everybody's, those behind computed ones."""
        delivered = {each for name in names for each in fact_reads(self._ruleset, name)}
        for name in sorted(delivered - set(self._everybodys)):
            yield _Reader(span, f"`{name}`, which is read here,", facts[name].share)

    def _rule_reads(self, rule: Rule) -> Iterator[tuple[Span, Iterable[str]]]:
        if rule.when is not None:
            for part in _parts(rule.when):
                yield part.span, [fact.name for test in tests_in(part) for fact in test.facts()]
        if rule.during is not None and rule.during.zone is None:
            yield rule.span, [TIMEZONE]
        if rule.on_unknown.policy != "skip":
            yield rule.span, [CONSENT]

    def _outcome_reads(
        self, plan: OutcomePlan, page: str, facts: Mapping[str, Fact]
    ) -> Iterator[tuple[Span, Iterable[str]]]:
        outcome = plan.outcome
        if outcome.cta is not None and plan.cta is not None:
            alone = replace(outcome, items=None, item=None)
            yield self._ruleset.ctas[outcome.cta.name].span, outcome_reads(self._ruleset, page, alone)
        if plan.lists:
            alone = replace(outcome, cta=None, item=None)
            yield outcome.span, outcome_reads(self._ruleset, page, alone)
        if plan.item is not None:
            yield outcome.span, [plan.item]
        for path, span in plan.template.reads if plan.template is not None else ():
            yield span, fact_names([path], facts) if path else [fact.name for fact in plan.inputs.facts]

    def _costs(self, slot: Slot, plan: SlotPlan, facts: Mapping[str, Fact]) -> dict[str, float]:
        """Return how many kinds of values of each fact make a difference: to rules, or to what is shown."""
        costs = dict(told_apart(self._ruleset, slot, facts))
        for name in {name for outcome in plan.outcomes.values() for name in outcome.values}:
            costs[name] = max(costs.get(name, 1), len(self._locales) if name == LOCALE else values_of(facts[name]))
        return {name: cost for name, cost in costs.items() if name not in self._everybodys}


def _parts(expr: Expr) -> Iterator[Test | Use]:
    """Yield the tests of a condition as its author wrote them, reusable conditions not looked into."""
    if isinstance(expr, Test | Use):
        yield expr
    else:
        for part in parts_of(expr):
            yield from _parts(part)


def _count(cost: float) -> str:
    return "without limit" if cost == inf else f"{cost:,.0f}"
