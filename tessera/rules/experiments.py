"""Experiments, as `experiments.yaml` declares them."""

from decimal import Decimal
from typing import get_args

from tessera.rules.ctas import ReadFact
from tessera.rules.facts import VISITOR_ID, FactType
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
    coverage = fields.value("coverage", parse_percent)
    arms = _arms(reader, fields)
    weights = tuple(float(weight / 100) for weight in arms.values())
    found = Experiment(
        name=key.value,
        unit=unit.value if unit else VISITOR_ID,
        seed=fields.text("seed") or key.value,
        version=1 if version is None else version,
        hash_version=fields.value("hash_version", integer_between(1, 2)) or 2,
        status=fields.choice("status", STATUSES) or "running",
        arms=tuple(arms),
        weights=weights,
        ranges=bucket_ranges(len(arms), 1.0 if coverage is None else float(coverage / 100), weights),
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
