"""A site, loaded: its rules and templates checked against each other, and a plan for every page and slot.

A `Site` is immutable and named by its version. Everything that can be worked out before a request comes is worked
out here: what to fetch, what each template sees, who may share an answer. `tessera.renderer.loader` makes it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tessera.renderer.core.assets import head_of, link_of
from tessera.renderer.core.context import KNOWN
from tessera.renderer.core.cta import CtaPlan
from tessera.renderer.core.declared import Declared
from tessera.renderer.core.inputs import ITEM_ID, InputsPlan, canonical, digest
from tessera.renderer.core.lists import ListPlan
from tessera.renderer.core.needs import Needs
from tessera.renderer.core.now import now_facts, now_of
from tessera.renderer.core.policy import all_of
from tessera.renderer.core.scope import Scope, narrowest
from tessera.renderer.core.tags import Tags
from tessera.renderer.crosscheck import find_template, unused_templates
from tessera.renderer.engines.base import Template
from tessera.renderer.engines.catalog import Catalog
from tessera.renderer.plans import OutcomePlan, PagePlan, SlotPlan
from tessera.renderer.promises import Promises
from tessera.rules.compile import compile_fact, compile_slot
from tessera.rules.demands import fact_reads, outcome_reads, rule_reads, slot_reads
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.evaluate import Decision, decisions_of
from tessera.rules.facts import LOCALE, VISITOR_ID, Fact, Value
from tessera.rules.lists import MAX_COUNT
from tessera.rules.proof.unused import unused
from tessera.rules.ruleset import ItemList, Outcome, Page, Ruleset, Slot
from tessera.rules.switches import Switch, switched_off


class Place(NamedTuple):
    """What the path of a fragment names: its slot, the page that it is on, and the locale that stands before it."""

    slot: SlotPlan
    page: PagePlan
    locale: str | None


@dataclass(frozen=True, slots=True)
class Site:
    """One version of a site, ready to serve. ``places`` has every fragment by its path, ``/fragments/page/slot``."""

    folder: Path
    version: str
    ruleset: Ruleset
    catalog: Catalog
    declared: Declared
    locales: tuple[str, ...]
    zone: ZoneInfo
    pages: Mapping[str, PagePlan]
    places: Mapping[str, Place] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", dict(_places(self)))


def switch_off(site: Site, switches: Collection[Switch]) -> Site:
    """Return a site with some things switched off; only pages that this changes are planned anew."""
    ruleset = switched_off(site.ruleset, switches)
    changed = [name for name, page in ruleset.pages.items() if page is not site.ruleset.pages[name]]
    if not changed:
        return site
    planner = Planner(ruleset, site.catalog.templates, site.locales, site.zone)
    pages = {**site.pages, **{name: planner.page(ruleset.pages[name]) for name in changed}}
    version = digest(canonical([site.version, sorted(map(str, switches))])).hex()
    return replace(site, version=version, ruleset=ruleset, pages=pages)


class Planner:
    """Makes the plans of one ruleset with one catalog of templates."""

    def __init__(
        self, ruleset: Ruleset, templates: Mapping[str, Template], locales: tuple[str, ...], zone: ZoneInfo
    ) -> None:
        """``zone`` is the one that `now` of templates is in."""
        self._ruleset = ruleset
        self._templates = templates
        self._locales = locales
        self._now = now_facts(zone)
        self._everybodys = {"page.name", *self._now} | ({LOCALE} if len(locales) == 1 else set())
        self._apart = frozenset(page.name for page in ruleset.pages.values() if self._has_lists_apart(page))
        self.declared = Declared(ruleset)

    def page(self, page: Page) -> PagePlan:
        layout = self._slot(page, page.layouts) if page.layouts else None
        slots: dict[str, SlotPlan] = {}
        for name, slot in page.slots.items():
            before = [each for each in slots.values() if each.shows_items] if slot.unique else []
            slots[name] = _after(
                self._slot(page, slot), [each for each in before if _together(name, each.name, layout)]
            )
        if layout is not None:
            layout = _headed(layout, slots)
        reachable = [*slots.values(), *([layout] if layout else [])]
        scope = narrowest(each.scope for each in reachable)
        max_age_s = min((each.max_age_s for each in reachable), default=inf)
        shown = [outcome.template for each in reachable for outcome in each.outcomes.values() if outcome.template]
        policy = all_of(template.policy for template in shown)
        return PagePlan(page.name, page.params, layout, slots, scope, max_age_s, policy)

    def complaints(self) -> Iterator[Diagnostic]:
        """Yield what can be told only of a whole site: what is unused, and which slots do not keep their promises.

        Without planning more than that takes.
        """
        pages = self._ruleset.pages.values()
        shown = {page.name: list(self._shown(page)) for page in pages}
        read = {name: {fact for each in plans for fact in each.values} for name, plans in shown.items()}
        yield from unused(self._ruleset, read)
        yield from unused_templates(self._templates, [each.template for found in shown.values() for each in found])
        promises = Promises(self._ruleset, self._locales, self._everybodys)
        for page in pages:
            for slot in page.slots.values():
                if slot.unique and ITEM_ID not in self._ruleset.item_fields:
                    message = f"slot `{slot.name}` is to be unique, but no `{ITEM_ID}` tells items apart"
                    yield Diagnostic("R011", "error", message, slot.span, help=f"declare `{ITEM_ID}` under `item`")
                if slot.share is not None or slot.budget is not None:
                    plan = self.page(page).slots[slot.name] if slot.unique else self._slot(page, slot)
                    yield from promises.broken(page, slot, plan, self._facts(page))

    def shown(self) -> Iterator[OutcomePlan]:
        """Yield a plan for everything different that the site may show."""
        for page in self._ruleset.pages.values():
            yield from self._shown(page)

    def _shown(self, page: Page) -> Iterator[OutcomePlan]:
        """Yield a plan for everything different that a page may show."""
        facts = self._facts(page)
        slots = (*page.slots.values(), *([page.layouts] if page.layouts else []))
        for outcome in _different(each for slot in slots for each in slot.outcomes):
            yield self._outcome(page, outcome, facts, frozenset())

    def _slot(self, page: Page, slot: Slot) -> SlotPlan:
        facts = self._facts(page)
        reads = slot_reads(self._ruleset, page.name, slot.name)
        plans = {each.shown: self._outcome(page, each, facts, reads) for each in _different(slot.outcomes)}
        outcomes = {id(each): replace(plans[each.shown], outcome=each) for each in slot.outcomes}
        conditions = {
            name for rule in slot.rules for name in rule_reads(self._ruleset, replace(rule, split=None, rollout=None))
        }
        scopes = [self._scope(conditions, facts), *(each.scope for each in outcomes.values())]
        if any(rule.split or rule.rollout for rule in slot.rules):
            scopes.append("context")  # what is read of the unit is a side of the split, which many share
        needs = Needs.of(reads, facts, self._ruleset)
        everything = reads.union(*(each.values for each in outcomes.values()))
        personal = narrowest(scopes) == "private" or not everything.isdisjoint((VISITOR_ID, KNOWN))
        plan = SlotPlan(
            page=page.name,
            name=slot.name,
            version=self._ruleset.version,
            matcher=compile_slot(self._ruleset, page.name, slot.name),
            reads=tuple(facts[name] for name in sorted(reads)),
            experiments=tuple(dict.fromkeys(rule.split.experiment for rule in slot.rules if rule.split)),
            rollouts=tuple(dict.fromkeys(rule.rollout for rule in slot.rules if rule.rollout)),
            base_facts={**self.declared.defaults, **_defaults(page.params.values()), "page.name": page.name},
            needs=needs,
            needs_consent=replace(needs or Needs(), profile=True) if personal else needs,
            outcomes=outcomes,
            default=outcomes[id(slot.default)],
            forced=dict(_arms(slot)),
            scope=narrowest(scopes),
            max_age_s=inf if slot.max_age_s is None else slot.max_age_s,
            budget=slot.budget,
        )
        return replace(plan, links=((b"link", link_of(plan.assets)),)) if plan.assets else plan

    def _outcome(
        self, page: Page, outcome: Outcome, facts: Mapping[str, Fact], decided_on: frozenset[str]
    ) -> OutcomePlan:
        template = find_template(outcome, self._templates) if outcome.template else None
        every = [_inputs(each, facts, self._ruleset.item_fields) for each in _with_nested(template)]
        read = {fact.name: fact for inputs in every for fact in inputs.facts}
        shown = replace(  # what the template does not look at is neither fetched nor made ready
            outcome,
            cta=outcome.cta if any(inputs.cta for inputs in every) else None,
            items=outcome.items if any(inputs.items is not None for inputs in every) else None,
            item=outcome.item if any(inputs.item for inputs in every) else None,
        )
        shown_reads = outcome_reads(self._ruleset, page.name, shown)
        reads = shown_reads | {name for each in read for name in fact_reads(self._ruleset, each)}
        lists = tuple(self._chain(shown.items))
        plan = OutcomePlan(
            outcome=outcome,
            template=template,
            needs=Needs.of(reads, facts, self._ruleset),
            needs_beyond=Needs.of(reads - decided_on, facts, self._ruleset),
            inputs=every[0],
            derived=(
                *((name, compile_fact(self._ruleset, name)) for name in read if name in self._ruleset.computed),
                *((name, now_of(fact)) for name, fact in read.items() if name in self._now),
            ),
            cta=CtaPlan(self._ruleset.ctas[shown.cta.name], shown.cta) if shown.cta else None,
            lists=tuple(ListPlan(each, self._asked(page), apart=page.name in self._apart) for each in lists),
            item=shown.item,
            slots=tuple(dict.fromkeys(slot for inputs in every for slot in inputs.slots)),
            values=shown_reads | read.keys(),
            scope=narrowest([self._scope(reads, facts), *(each.share for each in lists)]),
            tags=_tags(template, outcome, every[0]) if template else None,
            nested={},
        )
        return replace(plan, nested=self._nested(plan, facts))

    def _nested(self, plan: OutcomePlan, facts: Mapping[str, Fact]) -> Mapping[str, OutcomePlan]:
        """Return the plans of the fragments that are nested in a plan's template."""
        found = {}
        for name, template in plan.template.nested if plan.template else ():
            inputs = _inputs(template, facts, self._ruleset.item_fields)
            tags = _tags(template, plan.outcome, inputs)
            inner = replace(plan, template=template, inputs=inputs, tags=tags, exposes=False)
            found[name] = replace(inner, nested=self._nested(inner, facts))
        return found

    def _facts(self, page: Page) -> Mapping[str, Fact]:
        """Return everything that may be read on a page, by full name, segments and `now` included."""
        segments = (segment.fact for segment in self._ruleset.segments.values())
        return {**self._ruleset.facts, **self._now, **{f.name: f for f in (*page.params.values(), *segments)}}

    def _asked(self, page: Page) -> int:
        """Return how many items every list of a page asks for, beyond its own: with unique slots, enough for them all.

        So many for each, that slots with one list ask for it once.
        """
        if not any(slot.unique for slot in page.slots.values()):
            return 0
        named = [{outcome.items for outcome in slot.outcomes} for slot in page.slots.values()]
        counts = [max((each.count for name in names for each in self._chain(name)), default=1) for names in named]
        return min(MAX_COUNT, sum(counts))

    def _has_lists_apart(self, page: Page) -> bool:
        """Tell whether slots of a page have different lists of the visitor's own, and none leaves out others' items."""
        if any(slot.unique for slot in page.slots.values()):
            return False
        named = [{outcome.items for outcome in slot.outcomes} for slot in page.slots.values()]
        chains = [
            {each.name for name in names for each in self._chain(name) if each.kind == "personal"} for names in named
        ]
        own = [chain for chain in chains if chain]
        return len(own) > 1 and len(set().union(*own)) > 1

    def _chain(self, name: str | None) -> Iterator[ItemList]:
        """Yield a list and those that stand in for it."""
        while name is not None:
            yield self._ruleset.lists[name]
            name = self._ruleset.lists[name].fallback

    def _scope(self, names: Iterable[str], facts: Mapping[str, Fact]) -> Scope:
        """Return the narrowest share of facts; where a site speaks one locale, everybody is in it."""
        return narrowest(facts[name].share for name in names if name not in self._everybodys)


def _after(plan: SlotPlan, before: Collection[SlotPlan]) -> SlotPlan:
    """Return a plan that leaves out the items of others, and so is shared by no more people than they are."""
    if not before:
        return plan
    return replace(plan, before=tuple(before), scope=narrowest([plan.scope, *(each.scope for each in before)]))


def _headed(layout: SlotPlan, slots: Mapping[str, SlotPlan]) -> SlotPlan:
    """Return the plan of a page's layouts, each with what it and the slots in it need in the head of the page."""
    outcomes = {}
    for key, outcome in layout.outcomes.items():
        own = outcome.template.assets if outcome.template is not None else ()
        needed = [*own, *(asset for name in outcome.slots if name in slots for asset in slots[name].assets)]
        outcomes[key] = replace(outcome, head=head_of(needed))
    default = outcomes[id(layout.default.outcome)]
    return replace(layout, outcomes=outcomes, default=default)


def _together(slot: str, other: str, layout: SlotPlan | None) -> bool:
    """Tell whether two slots of a page are ever seen together: without a layout of its own, perhaps."""
    return layout is None or any({slot, other} <= {*outcome.slots} for outcome in layout.outcomes.values())


def _places(site: Site) -> Iterator[tuple[str, Place]]:
    for page in site.pages.values():
        for name, slot in page.slots.items():
            for locale in (None, *site.locales):
                before = "" if locale is None else "/" + locale
                yield f"{before}/fragments/{page.name}/{name}", Place(slot, page, locale)


def _inputs(template: Template | None, facts: Mapping[str, Fact], item_fields: Iterable[str]) -> InputsPlan:
    if template is None:
        return InputsPlan("", (), facts, item_fields)
    return InputsPlan(template.version, template.demands, facts, item_fields, template.tests)


def _with_nested(template: Template | None) -> Iterator[Template | None]:
    """Yield a template, and all fragments that are nested in it."""
    yield template
    for _, nested in template.nested if template else ():
        yield from _with_nested(nested)


def _tags(template: Template, outcome: Outcome, inputs: InputsPlan) -> Tags:
    """Return the tags of what a template renders for an outcome."""
    return Tags(template.name, outcome.cta.name if outcome.cta is not None and inputs.cta else None, inputs)


def _different(outcomes: Iterable[Outcome]) -> Iterable[Outcome]:
    """Return one of each that show the same."""
    return {outcome.shown: outcome for outcome in outcomes}.values()


def _defaults(facts: Iterable[Fact]) -> Mapping[str, Value]:
    return {fact.name: fact.default for fact in facts if fact.default is not None}


def _arms(slot: Slot) -> Iterator[tuple[str, Decision]]:
    for rule in slot.rules:
        for decision in decisions_of(rule):
            if decision.assignment is not None:
                yield f"{decision.assignment.experiment}.{decision.assignment.arm}", decision
