"""Holdouts, as `experiments.yaml` declares them."""

from typing import get_args

from tessera.rules.ctas import ReadFact
from tessera.rules.rollouts import read_hash_version, read_unit
from tessera.rules.shape import Reader
from tessera.rules.shares import Holdout, Status
from tessera.rules.skeleton import Node, Scalar
from tessera.rules.values import parse_percent

HOLDOUT_KEYS = ("share", "covers", "unit", "fallback", "seed", "hash_version", "status", "about")
STATUSES: tuple[Status, ...] = get_args(Status)


def read_holdout(reader: Reader, key: Scalar, node: Node, fact: ReadFact) -> tuple[Holdout | None, tuple[Scalar, ...]]:
    """One holdout, None when it is wrong; and the names of experiments that it covers, not looked up."""
    fields = reader.fields(node, "a holdout", HOLDOUT_KEYS, key.span)
    if fields is None or not fields.require("share"):
        return None, ()
    share, covers = fields.value("share", parse_percent), fields.texts("covers")
    unit, fallback = read_unit(fields, fact)
    if "covers" in fields and not covers:
        reader.complain(
            "R013", "`covers` is empty", fields.nodes["covers"].span, help="leave it out to cover every experiment"
        )
    if share is None:
        return None, ()
    holdout = Holdout(
        name=key.value,
        unit=unit,
        fallback=fallback,
        seed=fields.text("seed") or key.value,
        hash_version=read_hash_version(fields),
        status=fields.choice("status", STATUSES) or "running",
        share=float(share / 100),
        covers=None if covers is None else tuple(each.value for each in covers),
        span=key.span,
    )
    return holdout, covers or ()
