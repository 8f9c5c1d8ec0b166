"""Values that a slot seems to have forgotten: one rule after another names the others."""

from collections.abc import Iterator
from functools import reduce
from operator import and_, or_

from tessera.rules.diagnostics import Diagnostic
from tessera.rules.proof.axes import Axis
from tessera.rules.proof.regions import Regions
from tessera.rules.ruleset import Slot

MIN_VALUES = 3
"""Of how many values a fact must be for one that is left out to look forgotten."""

NEUTRAL = frozenset({"none", "other", "unknown", "default", "any", "all"})
"""Values that say that there is nothing to tell, so that the default is just right for them."""


def gaps(slot: Slot, regions: Regions) -> Iterator[Diagnostic]:
    """The values that a slot leaves out, where each of its rules is for some values of one fact, and most are named."""
    conditional = [rule for rule in regions.rules if rule.when is not None]
    ways = [way for rule in conditional for way in regions.at_least(rule)]
    if len(conditional) < len(regions.rules) or not ways:
        return
    for name in reduce(and_, (way.keys() for way in ways)):
        axis = regions.axes[name]
        if axis.kind != "values" or axis.fact is None or axis.fact.one_of is None or len(axis.marks) < MIN_VALUES:
            continue
        missing = _missing(axis, [way[name] for way in ways])
        if missing:
            named = " and ".join(f"`{value}`" for value in missing)
            message = f"no rule of `{slot.name}` is for {named}, though all other values of `{name}` have one"
            yield Diagnostic("R504", "warning", message, slot.span, "they see the default")


def _missing(axis: Axis, named: list[int]) -> list[str]:
    """The values that no way lets through, where at least two different ways let through at least half of them all."""
    handled = reduce(or_, named)
    missing = [value for value in axis.marks if not axis.at((value,)) & handled]
    default = axis.fact.default if axis.fact is not None else None
    if len(set(named)) < 2 or len(missing) * 2 > len(axis.marks) or default in missing or NEUTRAL & set(missing):
        return []
    return missing
