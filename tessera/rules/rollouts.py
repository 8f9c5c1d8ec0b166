"""Rollouts by date, and what they share with experiments and holdouts: the unit, and steps."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from tessera.rules.ctas import ReadFact
from tessera.rules.facts import VISITOR_ID, FactType
from tessera.rules.shape import Fields, Reader
from tessera.rules.shares import Rollout
from tessera.rules.skeleton import MappingNode, Node
from tessera.rules.values import integer_between, parse_percent, parse_timestamp

ROLLOUT_KEYS = ("steps", "seed", "unit", "fallback", "hash_version")
UNIT_TYPES: tuple[FactType, ...] = ("string", "enumeration", "integer")

Steps = tuple[tuple[datetime, float], ...]


def read_rollout(reader: Reader, node: Node, fact: ReadFact) -> Rollout | None:
    """The rollout of one rule; None when it is wrong."""
    fields = reader.fields(node, "`rollout`", ROLLOUT_KEYS)
    if fields is None or not fields.require("steps", "seed"):
        return None
    seed, steps = fields.text("seed"), read_steps(reader, fields.nodes["steps"], "`steps`")
    unit, fallback = read_unit(fields, fact)
    if seed is None or not steps:
        return None
    return Rollout(unit, fallback, seed, read_hash_version(fields), steps)


def read_unit(fields: Fields, fact: ReadFact) -> tuple[str, str | None]:
    """The fact whose value is hashed, and the one in its place where it is unknown."""
    unit, fallback = fields.scalar("unit"), fields.scalar("fallback")
    for named in (unit, fallback):
        if named is not None:
            fact(named.value, named.span, UNIT_TYPES)
    name = unit.value if unit else VISITOR_ID
    if fallback is not None and fallback.value == name:
        fields.reader.complain("R015", f"`{name}` cannot stand in for itself", fallback.span)
    return name, fallback.value if fallback else None


def read_hash_version(fields: Fields) -> int:
    """Version 1 or 2 of GrowthBook's hashing; 2 where it is not said."""
    return fields.value("hash_version", integer_between(1, 2)) or 2


def read_steps(reader: Reader, node: Node, what: str) -> Steps:
    """Shares in [0, 1] by the moment from which each holds; none when they are wrong."""
    if not isinstance(node, MappingNode) or not node.entries:
        reader.complain("R012", f"{what} must be a mapping from moments to shares", node.span, help=_HELP)
        return ()
    steps = tuple(_steps(reader, node, what))
    for (moment, share), (later, grown) in pairwise(steps):
        if later <= moment or grown <= share:
            message = "a step is not later than the one before" if later <= moment else "a share is not larger"
            reader.complain("R408", message, node.span, help=_HELP)
            return ()
    return tuple((moment, share / 100) for moment, share in steps)


_HELP = "each step is later than the one before, and larger, such as `{2026-11-20: 5, 2026-11-24: 25}`"


def _steps(reader: Reader, node: MappingNode, what: str) -> Iterator[tuple[datetime, float]]:
    for key, value in node.entries:
        share = Fields(reader, what, key.span, {key.value: value}).value(key.value, parse_percent)
        try:
            moment = parse_timestamp(key.value)
        except ValueError as error:
            reader.complain("R013", str(error), key.span)
        else:
            if share is not None:
                yield moment, float(share)
