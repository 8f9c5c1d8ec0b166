"""What deciding and showing read: known from the checked rules, whatever a visitor is like."""

from collections.abc import Iterator

from tessera.rules.conditions import Expr, tests_in
from tessera.rules.facts import CONSENT, LOCALE, TIMEZONE, VISITOR_ID
from tessera.rules.ruleset import Outcome, Rule, Ruleset
from tessera.rules.shares import Hashed


def slot_reads(ruleset: Ruleset, page: str, slot: str) -> frozenset[str]:
    """Every fact that deciding the slot can read, for any visitor at any moment.

    Through segments, computed facts and conditions down to what is delivered from outside: a segment is among them,
    as `segment.<name>`, only where the profile delivers it.
    """
    found = ruleset.slot(page, slot)
    return frozenset(name for rule in found.rules for name in rule_reads(ruleset, rule))


def rule_reads(ruleset: Ruleset, rule: Rule) -> frozenset[str]:
    """Every fact that deciding one rule can read: its condition, its window, its policy, its rollout, its split."""
    names = set(_condition_reads(ruleset, rule.when)) if rule.when is not None else set()
    if rule.during is not None and rule.during.zone is None:
        names.add(TIMEZONE)
    if rule.on_unknown.policy != "skip":
        names.add(CONSENT)
    hashed: list[Hashed] = [] if rule.rollout is None else [rule.rollout]
    if rule.split is not None:
        hashed += [rule.split.experiment, *rule.split.experiment.holdouts]
        names.update(filter(None, [rule.split.experiment.assigned]))
    names.update(name for each in hashed for name in (each.unit, each.fallback) if name is not None)
    return frozenset(names)


def fact_reads(ruleset: Ruleset, name: str) -> frozenset[str]:
    """What reading one fact or segment comes to: itself, or, where it is computed, what it is computed from."""
    if name in ruleset.computed:
        return frozenset(_condition_reads(ruleset, ruleset.computed[name]))
    return frozenset((name,))


def outcome_reads(ruleset: Ruleset, page: str, outcome: Outcome) -> frozenset[str]:
    """Every fact that showing an outcome reads: for its CTA's texts and link, its lists with their fallbacks, its item.

    What its template reads is not among them.
    """
    return frozenset(each for name in _outcome_names(ruleset, outcome) for each in fact_reads(ruleset, name))


def _outcome_names(ruleset: Ruleset, outcome: Outcome) -> Iterator[str]:
    if outcome.item is not None:
        yield outcome.item
    if outcome.cta is not None:
        cta = ruleset.ctas[outcome.cta.name]
        yield from (name for name in cta.link.names if name not in cta.params)
        if cta.text.by_locale or (cta.message is not None and cta.message.by_locale):
            yield LOCALE
    name = outcome.items
    while name is not None:
        items = ruleset.lists[name]
        yield from items.reads
        if items.kind == "personal":
            yield VISITOR_ID
        name = items.fallback


def _condition_reads(ruleset: Ruleset, expr: Expr) -> Iterator[str]:
    """The delivered facts in a condition; each computed one is followed once."""
    seen: set[str] = set()
    waiting = [expr]
    while waiting:
        for test in tests_in(waiting.pop()):
            for fact in test.facts():
                if fact.name in seen:
                    continue
                seen.add(fact.name)
                if fact.name in ruleset.computed:
                    waiting.append(ruleset.computed[fact.name])
                else:
                    yield fact.name
