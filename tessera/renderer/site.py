"""A site, loaded: its rules and templates checked against each other, and a plan for every page and slot.

A `Site` is immutable and named by its version. Everything that can be worked out before a request comes is worked
out here: what to fetch, what each template sees, who may share an answer. `tessera.renderer.loader` makes it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf
from pathlib import Path

from tessera.renderer.core.cta import CtaPlan
from tessera.renderer.core.declared import Declared
from tessera.renderer.core.inputs import InputsPlan, canonical, digest
from tessera.renderer.core.lists import ListPlan
from tessera.renderer.core.needs import Needs
from tessera.renderer.core.scope import Scope, narrowest
from tessera.renderer.crosscheck import find_template
from tessera.renderer.engines.base import Template
from tessera.renderer.engines.catalog import Catalog
from tessera.rules.compile import Matcher, Truth, compile_fact, compile_slot
from tessera.rules.demands import fact_reads, outcome_reads, rule_reads, slot_reads
from tessera.rules.evaluate import Decision, Reason, decisions_of
from tessera.rules.facts import LOCALE, Fact, Value
from tessera.rules.ruleset import ItemList, Outcome, Page, Ruleset, Slot
from tessera.rules.switches import Switch, switched_off


@dataclass(frozen=True, slots=True)
class OutcomePlan:
    """One outcome of a slot: its template (None shows nothing), and what the template sees.

    ``needs`` are all that has to be asked for to show it, ``needs_beyond`` those of them that deciding its slot has
    not brought in already. ``derived`` are the segments and computed facts among that: what works each of them out.
    """

    outcome: Outcome
    template: Template | None
    needs: Needs | None
    needs_beyond: Needs | None
    inputs: InputsPlan
    derived: tuple[tuple[str, Callable[[Mapping[str, Value], datetime], Truth]], ...]
    cta: CtaPlan | None
    lists: tuple[ListPlan, ...]
    item: str | None
    slots: tuple[str, ...]
    scope: Scope


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """One slot: how it is decided, what that needs, and a plan for each outcome.

    ``base_facts`` are known of every request: the declared defaults and the page's name. ``scope`` is the narrowest
    of all that any rule or template of the slot could read. ``forced`` has what to show of an experiment's arm, by
    ``experiment.arm``, to whoever may see it without being counted.
    """

    page: str
    name: str
    matcher: Matcher
    base_facts: Mapping[str, Value]
    needs: Needs | None
    outcomes: Mapping[int, OutcomePlan]
    default: OutcomePlan
    forced: Mapping[str, Decision]
    scope: Scope
    max_age_s: float

    def outcome(self, decision: Decision) -> OutcomePlan:
        """Return the plan of what was decided."""
        return self.outcomes[id(decision.outcome)]

    def default_decision(self, reason: Reason) -> Decision:
        """Return the decision for the slot's default, taken for a reason other than its rules."""
        return Decision(self.default.outcome, reason, None, None, None)


@dataclass(frozen=True, slots=True)
class PagePlan:
    """One page: its parameters by name, its layouts as a slot, its slots, and the narrowest of their scopes."""

    name: str
    parameters: Mapping[str, Fact]
    layout: SlotPlan | None
    slots: Mapping[str, SlotPlan]
    scope: Scope
    max_age_s: float

    @property
    def plans(self) -> tuple[SlotPlan, ...]:
        """Everything that is decided on the page: its layout, where it has one, and its slots."""
        return (*([self.layout] if self.layout else []), *self.slots.values())


@dataclass(frozen=True, slots=True)
class Site:
    """One version of a site, ready to serve."""

    folder: Path
    version: str
    ruleset: Ruleset
    catalog: Catalog
    declared: Declared
    locales: tuple[str, ...]
    pages: Mapping[str, PagePlan]


def switch_off(site: Site, switches: Collection[Switch]) -> Site:
    """Return a site with some things switched off; only pages that this changes are planned anew."""
    ruleset = switched_off(site.ruleset, switches)
    changed = [name for name, page in ruleset.pages.items() if page is not site.ruleset.pages[name]]
    if not changed:
        return site
    planner = Planner(ruleset, site.catalog.templates, site.locales)
    pages = {**site.pages, **{name: planner.page(ruleset.pages[name]) for name in changed}}
    version = digest(canonical([site.version, sorted(map(str, switches))])).hex()
    return replace(site, version=version, ruleset=ruleset, pages=pages)


class Planner:
    """Makes the plans of one ruleset with one catalog of templates."""

    def __init__(self, ruleset: Ruleset, templates: Mapping[str, Template], locales: tuple[str, ...]) -> None:
        self._ruleset = ruleset
        self._templates = templates
        self._locales = locales
        self.declared = Declared(ruleset)

    def page(self, page: Page) -> PagePlan:
        layout = self._slot(page, page.layouts) if page.layouts else None
        slots = {name: self._slot(page, slot) for name, slot in page.slots.items()}
        reachable = [*slots.values(), *([layout] if layout else [])]
        scope = narrowest(each.scope for each in reachable)
        return PagePlan(
            page.name, page.params, layout, slots, scope, min((s.max_age_s for s in reachable), default=inf)
        )

    def _slot(self, page: Page, slot: Slot) -> SlotPlan:
        facts = self._facts(page)
        reads = slot_reads(self._ruleset, page.name, slot.name)
        outcomes = {id(outcome): self._outcome(page, outcome, facts, reads) for outcome in slot.outcomes}
        conditions = {
            name for rule in slot.rules for name in rule_reads(self._ruleset, replace(rule, split=None, rollout=None))
        }
        scopes = [self._scope(conditions, facts), *(each.scope for each in outcomes.values())]
        if any(rule.split or rule.rollout for rule in slot.rules):
            scopes.append("context")  # what is read of the unit is a side of the split, which many share
        return SlotPlan(
            page=page.name,
            name=slot.name,
            matcher=compile_slot(self._ruleset, page.name, slot.name),
            base_facts={**self.declared.defaults, **_defaults(page.params.values()), "page.name": page.name},
            needs=Needs.of(reads, facts, self._ruleset),
            outcomes=outcomes,
            default=outcomes[id(slot.default)],
            forced=dict(_arms(slot)),
            scope=narrowest(scopes),
            max_age_s=inf if slot.max_age_s is None else slot.max_age_s,
        )

    def _outcome(
        self, page: Page, outcome: Outcome, facts: Mapping[str, Fact], decided_on: frozenset[str]
    ) -> OutcomePlan:
        template = find_template(outcome, self._templates) if outcome.template else None
        version, demands = (template.version, template.demands) if template else ("", frozenset())
        inputs = InputsPlan(version, demands, facts, self._ruleset.item_fields)
        shown = replace(  # what the template does not look at is neither fetched nor made ready
            outcome,
            cta=outcome.cta if inputs.cta else None,
            items=outcome.items if inputs.items is not None else None,
            item=outcome.item if inputs.item else None,
        )
        reads = outcome_reads(self._ruleset, page.name, shown)
        reads |= {name for fact in inputs.facts for name in fact_reads(self._ruleset, fact.name)}
        lists = tuple(self._chain(shown.items))
        return OutcomePlan(
            outcome=outcome,
            template=template,
            needs=Needs.of(reads, facts, self._ruleset),
            needs_beyond=Needs.of(reads - decided_on, facts, self._ruleset),
            inputs=inputs,
            derived=tuple(
                (fact.name, compile_fact(self._ruleset, fact.name))
                for fact in inputs.facts
                if fact.name in self._ruleset.computed
            ),
            cta=CtaPlan(self._ruleset.ctas[shown.cta.name], shown.cta) if shown.cta else None,
            lists=tuple(ListPlan(each) for each in lists),
            item=shown.item,
            slots=inputs.slots,
            scope=narrowest([self._scope(reads, facts), *(each.share for each in lists)]),
        )

    def _facts(self, page: Page) -> Mapping[str, Fact]:
        """Return everything that may be read on a page, by full name, segments included."""
        segments = (segment.fact for segment in self._ruleset.segments.values())
        return {**self._ruleset.facts, **{f.name: f for f in (*page.params.values(), *segments)}}

    def _chain(self, name: str | None) -> Iterator[ItemList]:
        """Yield a list and those that stand in for it."""
        while name is not None:
            yield self._ruleset.lists[name]
            name = self._ruleset.lists[name].fallback

    def _scope(self, names: Iterable[str], facts: Mapping[str, Fact]) -> Scope:
        """Return the narrowest share of facts; where a site speaks one locale, everybody is in it."""
        everybodys = {"page.name"} | ({LOCALE} if len(self._locales) == 1 else set())
        return narrowest(facts[name].share for name in names if name not in everybodys)


def _defaults(facts: Iterable[Fact]) -> Mapping[str, Value]:
    return {fact.name: fact.default for fact in facts if fact.default is not None}


def _arms(slot: Slot) -> Iterator[tuple[str, Decision]]:
    for rule in slot.rules:
        for decision in decisions_of(rule):
            if decision.assignment is not None:
                yield f"{decision.assignment.experiment}.{decision.assignment.arm}", decision
