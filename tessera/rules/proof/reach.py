"""Rules that never decide: because nobody can be as they want, because others come first, because time is over."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from tessera.rules.conditions import Constant
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.proof.contradictions import contradicted
from tessera.rules.proof.cover import Cover, Covered
from tessera.rules.proof.regions import Regions
from tessera.rules.proof.times import is_shut
from tessera.rules.proof.witness import witness
from tessera.rules.ruleset import Rule, Ruleset, Slot

MAX_NAMED = 3
"""How many of the rules that take all visitors of another are named."""


MAX_TRACED = 50
"""Of how many rules in a slot that contradict themselves it is told which parts do."""


class Unreached(NamedTuple):
    """A rule that never decides: its condition contradicts itself, or is `covered`, each way of it, by other rules."""

    rule: Rule
    covered: tuple[Covered, ...]


def unreached(regions: Regions) -> Iterator[Unreached]:
    """The rules of a slot that never decide, whoever the visitor is and whenever they come."""
    covers: dict[timedelta | None, Cover] = {}
    for rule in regions.rules:
        ways = regions.at_most(rule)
        if ways is None:
            continue
        # Which facts are known differs with how stale they may be, so rules that differ in that are not compared.
        cover = covers.setdefault(rule.on_unknown.limit, Cover(regions.axes, len(regions.rules)))
        covered = tuple(found for way in ways if (found := cover.of(way)) is not None)
        if len(covered) == len(ways):
            yield Unreached(rule, covered)
        else:
            for way in regions.at_least(rule):
                cover.add(way, rule)


def never_reached(ruleset: Ruleset, slot: Slot, regions: Regions) -> Iterator[Diagnostic]:
    """Complain of the rules of a slot that never decide; not of a condition `false`, whose author means it."""
    yield from _over(slot)
    traced = 0
    for rule, covered in unreached(regions):
        if covered:
            yield _taken(rule, covered, regions)
        elif rule.when is not None and not isinstance(rule.when, Constant):
            traced += 1
            if traced > MAX_TRACED:
                yield Diagnostic("R501", "warning", _never(rule), rule.span, "nobody is like that")
                continue
            lenient = rule.on_unknown.policy == "match"
            yield contradicted(_never(rule), rule.when, ruleset.computed, lenient)


def _over(slot: Slot) -> Iterator[Diagnostic]:
    """The rules whose experiments have come to their end, or run at other times."""
    for rule in slot.rules:
        if rule.split is None:
            continue
        experiment = rule.split.experiment
        if experiment.status == "stopped":
            yield Diagnostic("R501", "warning", _never(rule), rule.span, f"`{experiment.name}` is stopped")
        elif rule.during is not None and is_shut(rule.during, experiment):
            label = f"its window is closed while `{experiment.name}` runs"
            yield Diagnostic("R501", "warning", _never(rule), rule.span, label)


def _taken(rule: Rule, covered: Sequence[Covered], regions: Regions) -> Diagnostic:
    takers = sorted({each.name: each for found in covered for each in found.rules}.values(), key=lambda each: each.span)
    named = [f"`{taker.name}` (line {taker.span.line})" for taker in takers[:MAX_NAMED]]
    if len(takers) > MAX_NAMED:
        named.append(f"{len(takers) - MAX_NAMED} more")
    by = f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]
    example = witness(covered[0].shared, regions.axes).text
    message = f"every visitor of this rule is taken by {by}" + (f", for example {example}" if example else "")
    return Diagnostic("R502", "warning", message, rule.span, help="put this rule first, or leave it out")


def _never(rule: Rule) -> str:
    return f"rule `{rule.name}` never matches"
