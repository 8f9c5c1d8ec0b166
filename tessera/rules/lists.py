"""Item lists, as `lists.yaml` declares them."""

from collections.abc import Mapping
from typing import get_args

from tessera.rules.ctas import ReadFact
from tessera.rules.facts import SHARES, FactType, Share
from tessera.rules.ruleset import ItemList, ListKind
from tessera.rules.shape import Reader
from tessera.rules.skeleton import Node, Scalar
from tessera.rules.values import integer_between

LIST_KEYS = ("kind", "count", "fallback", "to", "category", "without", "share", "about")
KINDS: tuple[ListKind, ...] = get_args(ListKind)
MAX_COUNT = 200
"""The most items that a list may hold."""

# The key that names the fact which a kind of list depends on.
_ARGUMENTS: Mapping[ListKind, str] = {"related": "to", "lookup": "to", "category": "category"}
_ARGUMENT_TYPES: Mapping[str, tuple[FactType, ...]] = {
    "to": ("string", "enumeration", "set"),
    "category": ("string", "enumeration"),
}
_LEFT_OUT_TYPES: tuple[FactType, ...] = ("string", "set")


def read_list(reader: Reader, key: Scalar, node: Node, fact: ReadFact) -> ItemList | None:
    """One list; None when it is wrong. Its fallback is not looked up."""
    fields = reader.fields(node, "a list", LIST_KEYS, key.span)
    if fields is None or not fields.require("kind", "count"):
        return None
    kind = fields.choice("kind", KINDS)
    count = fields.value("count", integer_between(1, MAX_COUNT))
    if kind is None or count is None:
        return None
    argument = _ARGUMENTS.get(kind)
    for name in _ARGUMENT_TYPES:
        if name in fields and name != argument:
            reader.complain("R015", f"`{name}` does not go with kind {kind}", key.span)
    if argument is not None and not fields.require(argument):
        return None
    named = fields.scalar(argument) if argument else None
    read = fact(named.value, named.span, _ARGUMENT_TYPES[argument]) if argument and named else None
    left_out = fields.scalar("without")
    out = fact(left_out.value, left_out.span, _LEFT_OUT_TYPES) if left_out else None
    shares = [each.share for each in (read, out) if each]
    share: Share = "private" if kind == "personal" else max(shares, key=SHARES.index, default="public")
    return ItemList(
        name=key.value,
        kind=kind,
        count=count,
        fallback=fields.text("fallback"),
        to=fields.text("to"),
        category=fields.text("category"),
        without=fields.text("without"),
        share=fields.choice("share", SHARES) or share,
        span=key.span,
    )
