"""How many contexts a slot's rules tell apart, fact by fact."""

from collections import defaultdict
from collections.abc import Mapping
from math import inf

from tessera.rules.demands import rule_reads
from tessera.rules.facts import CONSENT, TIMEZONE, Fact
from tessera.rules.proof.axes import Axis
from tessera.rules.proof.regions import Regions
from tessera.rules.ruleset import Ruleset, Slot


def told_apart(ruleset: Ruleset, slot: Slot, facts: Mapping[str, Fact]) -> Mapping[str, float]:
    """How many kinds of its values make a difference to any rule: by fact, of `facts` by full name, and experiment.

    Facts that make none are not there. Of a condition that is too involved to be gone through, each value counts.
    """
    regions = Regions(slot, ruleset.computed)
    seen: defaultdict[str, set[int]] = defaultdict(set)
    involved: set[str] = set()
    counts: defaultdict[str, float] = defaultdict(lambda: 1)
    for rule in regions.rules:
        ways = regions.at_most(rule)
        if ways is None:
            involved |= rule_reads(ruleset, rule)
        for way in ways or ():
            for name, classes in way.items():
                seen[name].add(classes)
        if rule.rollout is not None:
            counts[rule.rollout.name] = len(rule.rollout.steps) + 1
        if rule.split is not None:
            counts[f"experiment {rule.split.experiment.name}"] = len(rule.split.experiment.arms) + 1
        if rule.during is not None and rule.during.zone is None:
            involved.add(TIMEZONE)
        if rule.on_unknown.policy != "skip":
            involved.add(CONSENT)
    several = {axis.fact.name for name in seen if (axis := regions.axes[name]).fact and axis.fact.name != name}
    for name, sets in seen.items():
        axis = regions.axes[name]
        if axis.fact is not None and not (name in several and sets == {axis.known}):
            counts[axis.fact.name] *= _kinds(axis, sets)
    return {**counts, **{name: values_of(facts[name]) for name in involved}}


def values_of(fact: Fact) -> float:
    """How many values a fact can have, unknown among them; infinity where nothing limits them."""
    known: float = inf
    if fact.type == "boolean":
        known = 2
    elif fact.one_of is not None:
        known = 2 ** len(fact.one_of) if fact.type == "set" else len(fact.one_of)
    return known + (fact.default is None)


def _kinds(axis: Axis, sets: set[int]) -> int:
    """How many kinds of classes there are, when those that lie in the same sets are of one kind."""
    kinds = {axis.full}
    for classes in sets:
        kinds = {part for kind in kinds for part in (kind & classes, kind & ~classes) if part}
    return len(kinds)
