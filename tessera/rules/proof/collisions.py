"""Experiments that take visitors from each other, so that the later one measures what the earlier one left over."""

from collections.abc import Iterator

from tessera.rules.diagnostics import Diagnostic
from tessera.rules.proof.regions import Regions
from tessera.rules.proof.times import is_shut, meet_in_time, run_together
from tessera.rules.ruleset import Experiment, Rule

MAX_EXPERIMENTS = 100
"""How many rules with experiments are looked at in one slot."""


def collisions(regions: Regions) -> Iterator[Diagnostic]:
    """The experiments of a slot's rules that come after another one whose visitors they share."""
    splitting = [
        (rule, rule.split.experiment)
        for rule in regions.rules
        if rule.split is not None and not (rule.during is not None and is_shut(rule.during, rule.split.experiment))
    ][:MAX_EXPERIMENTS]
    for number, (rule, experiment) in enumerate(splitting):
        for earlier, other in splitting[:number]:
            if not _compete(experiment, other) or not meet_in_time(rule.during, earlier.during):
                continue
            shared = regions.overlap(earlier, rule)
            if shared is not None:
                yield _collision(rule, earlier, other, shared.text)
                break


def _compete(one: Experiment, other: Experiment) -> bool:
    return one.name != other.name and run_together(one, other) and not _exclude_each_other(one, other)


def _exclude_each_other(one: Experiment, other: Experiment) -> bool:
    """Whether they have different parts of one group."""
    if one.namespace is None or other.namespace is None or one.unit != other.unit:
        return False
    (group, low, high), (other_group, other_low, other_high) = one.namespace, other.namespace
    return group == other_group and (high <= other_low or other_high <= low)


def _collision(rule: Rule, earlier: Rule, other: Experiment, example: str) -> Diagnostic:
    message = f"this experiment gets only those whom experiment `{other.name}` of `{earlier.name}` leaves over"
    return Diagnostic(
        "R503",
        "warning",
        f"{message}, of visitors such as {example}" if example else message,
        rule.span,
        f"after line {earlier.span.line}",
        "give both experiments parts of one `group`, or let their rules exclude each other",
    )
