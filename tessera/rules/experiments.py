"""Experiments, as `experiments.yaml` declares them."""

from decimal import Decimal

from tessera.rules.ctas import ReadFact
from tessera.rules.facts import ASSIGNED, VISITOR_ID, Fact
from tessera.rules.holdouts import STATUSES
from tessera.rules.ranges import read_ranges
from tessera.rules.rollouts import Steps, read_hash_version, read_steps, read_unit
from tessera.rules.ruleset import Experiment
from tessera.rules.shape import Fields, Reader
from tessera.rules.skeleton import MappingNode, Node, Scalar
from tessera.rules.split import arm_ranges
from tessera.rules.values import integer_between, parse_percent, parse_timestamp

EXPERIMENT_KEYS = (
    "arms",
    "unit",
    "fallback",
    "seed",
    "version",
    "hash_version",
    "status",
    "coverage",
    "ranges",
    "sticky",
    "decided_by",
    "from",
    "until",
    "group",
    "about",
)
HASHING_KEYS = ("unit", "fallback", "seed", "hash_version", "coverage", "ranges", "sticky", "group")
"""Keys that say how visitors are hashed, which nobody is in an experiment that is decided elsewhere."""
GROUP_KEYS = ("name", "from", "until")
MAX_VERSION = 1_000_000


def read_experiment(reader: Reader, key: Scalar, node: Node, fact: ReadFact) -> Experiment | None:
    """One experiment; None when it is wrong."""
    fields = reader.fields(node, "an experiment", EXPERIMENT_KEYS, key.span)
    if fields is None or not fields.require("arms"):
        return None
    unit, fallback = read_unit(fields, fact)
    starts, ends = fields.value("from", parse_timestamp), fields.value("until", parse_timestamp)
    if starts and ends and starts >= ends:
        reader.complain("R403", "the experiment ends before it begins", key.span)
    version = fields.value("version", integer_between(0, MAX_VERSION))
    coverage, steps = _coverage(reader, fields)
    hash_version = read_hash_version(fields)
    arms = _arms(reader, fields)
    weights = tuple(float(weight / 100) for weight in arms.values())
    shares = {arm: coverage * weight for arm, weight in zip(arms, weights, strict=True)}
    ranges = read_ranges(reader, fields, shares, hash_version) if arms else None
    decided_by = _decided_by(reader, fields, fact, tuple(arms))
    if decided_by is not None:
        coverage = 0.0
    if steps and ranges is not None:
        reader.complain("R015", "`ranges` say who takes part, and so does coverage by date", key.span)
    found = Experiment(
        name=key.value,
        unit=unit,
        seed=fields.text("seed") or key.value,
        version=1 if version is None else version,
        hash_version=hash_version,
        status=fields.choice("status", STATUSES) or "running",
        arms=tuple(arms),
        weights=weights,
        coverage=coverage,
        ranges=ranges or arm_ranges(len(arms), coverage, weights),
        starts=starts,
        ends=ends,
        namespace=_namespace(reader, fields),
        span=key.span,
        fallback=fallback,
        sticky=_sticky(reader, fields, unit, fallback),
        decided_by=decided_by,
        stages=tuple((moment, arm_ranges(len(arms), share, weights)) for moment, share in steps),
    )
    return found if arms else None


def assigned_fact(experiment: Experiment) -> Fact:
    """The fact that tells of a sticky experiment which arm a visitor was first shown."""
    name = ASSIGNED + experiment.name
    return Fact(name, "enumeration", "assignments", "context", experiment.span, one_of=experiment.arms)


def _decided_by(reader: Reader, fields: Fields, fact: ReadFact, arms: tuple[str, ...]) -> str | None:
    """The fact that says which arm a visitor is on, where that is decided elsewhere."""
    named = fields.scalar("decided_by")
    found = fact(named.value, named.span, ("enumeration", "string")) if named is not None else None
    if named is None or found is None:
        return None
    for key in HASHING_KEYS:
        if key in fields:
            reader.complain("R015", f"`{key}` does not go with `decided_by`: nobody is hashed", fields.span)
    for arm in arms if found.one_of is not None else ():
        if arm not in (found.one_of or ()):
            reader.complain("R015", f"`{named.value}` is never `{arm}`, which is an arm", named.span)
    return named.value


def _sticky(reader: Reader, fields: Fields, unit: str, fallback: str | None) -> bool:
    sticky = fields.choice("sticky", ("true", "false")) == "true"
    if sticky and (unit != VISITOR_ID or fallback is not None):
        message = f"a sticky experiment splits by `{VISITOR_ID}`, under which arms are remembered"
        reader.complain("R015", message, fields.span)
    return sticky


def _coverage(reader: Reader, fields: Fields) -> tuple[float, Steps]:
    """How much of each arm takes part at last, in [0, 1], and the steps up to that: none where it is fixed."""
    node = fields.nodes.get("coverage")
    if isinstance(node, MappingNode):
        steps = read_steps(reader, node, "`coverage`")
        return (steps[-1][1] if steps else 1.0), steps
    coverage = fields.value("coverage", parse_percent)
    return 1.0 if coverage is None else float(coverage / 100), ()


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
