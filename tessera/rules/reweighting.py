"""New weights for an experiment that runs: written into its file, with the ranges that move the fewest visitors."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node

from tessera.rules.ruleset import Experiment
from tessera.rules.split import BUCKETS, Range, choose, reweight
from tessera.rules.values import parse_percent

Move = tuple[str | None, str | None]
"""From which arm to which; None for those who take no part."""

Ranges = Sequence[Sequence[Range]]


def parse_weights(text: str, experiment: Experiment) -> Mapping[str, Decimal]:
    """Weights in percent by arm, in the experiment's order, as in `control=20,urgency=80`; raises ValueError."""
    pairs = [pair.partition("=") for pair in text.split(",")]
    weights = {arm.strip(): parse_percent(weight.strip()) for arm, _, weight in pairs}
    if len(weights) < len(pairs) or set(weights) != set(experiment.arms):
        raise ValueError(f"give each arm one weight: {', '.join(f'{arm}=…' for arm in experiment.arms)}")
    if sum(weights.values()) != 100:
        raise ValueError(f"the weights sum to {sum(weights.values()):f}, not to 100")
    return {arm: weights[arm] for arm in experiment.arms}


def ranges_for(experiment: Experiment, weights: Mapping[str, Decimal]) -> Ranges:
    """The ranges of every arm that give it its new weight, with the fewest visitors moved."""
    shares = [experiment.coverage * float(weight / 100) for weight in weights.values()]
    return reweight(experiment.ranges, shares, experiment.hash_version)


def moves(experiment: Experiment, ranges: Ranges) -> Mapping[Move, float]:
    """Which share of all visitors moves from which arm to which, in [0, 1]."""
    total = BUCKETS[experiment.hash_version]

    def arm(place: float, of: Ranges) -> str | None:
        index = choose(place, of)
        return experiment.arms[index] if index >= 0 else None

    places = (index / total for index in range(total))
    counted = Counter((arm(place, experiment.ranges), arm(place, ranges)) for place in places)
    return {move: count / total for move, count in counted.items() if move[0] != move[1]}


def rewritten(text: str, name: str, weights: Mapping[str, Decimal], ranges: Ranges) -> str:
    """The text of an `experiments.yaml` that is right, with other weights and ranges for one of its experiments.

    Nothing else changes. Raises KeyError where the experiment is not declared in this text.
    """
    experiment = _under(_under(YAML(typ="safe").compose(text), "experiments"), name)
    arms = _under(experiment, "arms")
    edits = [(_span(_under(arms, arm)), f"{weight:f}") for arm, weight in weights.items()]
    each = (f"{arm}: {[list(one) for one in of]}" for arm, of in zip(weights, ranges, strict=True))
    value = f"{{{', '.join(each)}}}"
    if "ranges" in _keys(experiment):
        edits.append((_span(_under(experiment, "ranges")), value))
    else:
        end = _span(arms)[1]
        if experiment.flow_style:
            edits.append(((end, end), f", ranges: {value}"))
        else:
            end = text.find("\n", end) if "\n" in text[end:] else len(text)  # after a comment beside the arms
            edits.append(((end, end), f"\n{' ' * experiment.start_mark.column}ranges: {value}"))
    for (start, stop), new in sorted(edits, reverse=True):
        text = text[:start] + new + text[stop:]
    return text


def to_growthbook(experiment: Experiment) -> dict[str, object]:
    """The experiment as GrowthBook's SDKs take it (https://docs.growthbook.io/lib/js, inline experiments), JSON-ready.

    There a variation has one range: an arm with several becomes as many variations, with the arm's name as their key.
    """
    pairs = [(arm, each) for arm, ranges in zip(experiment.arms, experiment.ranges, strict=True) for each in ranges]
    told: dict[str, object] = {
        "key": experiment.name,
        "variations": [arm for arm, _ in pairs],
        "meta": [{"key": arm} for arm, _ in pairs],
        "ranges": [list(each) for _, each in pairs],
        "coverage": experiment.coverage,
        "hashAttribute": experiment.unit,
        "hashVersion": experiment.hash_version,
        "seed": experiment.seed,
        "active": experiment.status == "running",
    }
    return told if experiment.namespace is None else {**told, "namespace": list(experiment.namespace)}


def _keys(mapping: MappingNode) -> Sequence[str]:
    return [key.value for key, _ in mapping.value]


def _under(mapping: MappingNode, name: str) -> Any:
    return {key.value: value for key, value in mapping.value}[name]


def _span(node: Node) -> tuple[int, int]:
    """Where a value begins and ends; a block ends with the last value in it, not with the next that follows."""
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, CollectionNode) and not node.flow_style:
        last = node.value[-1]
        end = _span(last[1] if isinstance(last, tuple) else last)[1]
    return start, end
