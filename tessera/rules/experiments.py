"""Experiments, as `experiments.yaml` declares them."""

from decimal import Decimal
from typing import get_args

from tessera.rules.ctas import ReadFact
from tessera.rules.facts import VISITOR_ID, FactType
from tessera.rules.ranges import read_ranges
from tessera.rules.ruleset import Experiment, Status
from tessera.rules.shape import Fields, Reader
from tessera.rules.skeleton import Node, Scalar
from tessera.rules.split import bucket_ranges
from tessera.rules.values import integer_between, parse_percent, parse_timestamp

EXPERIMENT_KEYS = (
    "arms",
    "unit",
    "seed",
    "version",
    "hash_version",
    "status",
    "coverage",
    "ranges",
    "from",
    "until",
    "group",
    "about",
)
GROUP_KEYS = ("name", "from", "until")
STATUSES: tuple[Status, ...] = get_args(Status)
UNIT_TYPES: tuple[FactType, ...] = ("string", "enumeration", "integer")
MAX_VERSION = 1_000_000


def read_experiment(reader: Reader, key: Scalar, node: Node, fact: ReadFact) -> Experiment | None:
    """One experiment; None when it is wrong."""
    fields = reader.fields(node, "an experiment", EXPERIMENT_KEYS, key.span)
    if fields is None or not fields.require("arms"):
        return None
    unit = fields.scalar("unit")
    if unit is not None:
        fact(unit.value, unit.span, UNIT_TYPES)
    starts, ends = fields.value("from", parse_timestamp), fields.value("until", parse_timestamp)
    if starts and ends and starts >= ends:
        reader.complain("R403", "the experiment ends before it begins", key.span)
    version = fields.value("version", integer_between(0, MAX_VERSION))
    percent = fields.value("coverage", parse_percent)
    coverage = 1.0 if percent is None else float(percent / 100)
    hash_version = fields.value("hash_version", integer_between(1, 2)) or 2
    arms = _arms(reader, fields)
    weights = tuple(float(weight / 100) for weight in arms.values())
    shares = {arm: coverage * weight for arm, weight in zip(arms, weights, strict=True)}
    ranges = read_ranges(reader, fields, shares, hash_version) if arms else None
    found = Experiment(
        name=key.value,
        unit=unit.value if unit else VISITOR_ID,
        seed=fields.text("seed") or key.value,
        version=1 if version is None else version,
        hash_version=hash_version,
        status=fields.choice("status", STATUSES) or "running",
        arms=tuple(arms),
        weights=weights,
        coverage=coverage,
        ranges=ranges or tuple((each,) for each in bucket_ranges(len(arms), coverage, weights)),
        starts=starts,
        ends=ends,
        namespace=_namespace(reader, fields),
        span=key.span,
    )
    return found if arms else None


def _arms(reader: Reader, fields: Fields) -> dict[str, Decimal]:
    """The weight of every arm, which sum to 100; none when they are wrong."""
    entries = list(reader.entries(fields.nodes["arms"], "`arms`"))
    inner = Fields(reader, "`arms`", fields.span, {key.value: node for key, node in entries})
    weights = {key.value: inner.value(key.value, parse_percent) for key, _ in entries}
    arms = {arm: weight for arm, weight in weights.items() if weight is not None}
    if len(arms) < len(entries):
        return {}
    if len(arms) < 2:
        reader.complain("R404", "an experiment has at least two arms", fields.span)
        return {}
    total = sum(arms.values())
    if total != 100:
        reader.complain("R404", f"the weights sum to {total:f}, not to 100", entries[0][0].span)
        return {}
    return arms


def _namespace(reader: Reader, fields: Fields) -> tuple[str, float, float] | None:
    node = fields.nodes.get("group")
    group = reader.fields(node, "`group`", GROUP_KEYS) if node else None
    if group is None or not group.require(*GROUP_KEYS):
        return None
    name, low, high = group.text("name"), group.value("from", parse_percent), group.value("until", parse_percent)
    if name is None or low is None or high is None:
        return None
    if low >= high:
        reader.complain("R403", "this share of the group is empty", group.span)
    return name, float(low / 100), float(high / 100)
