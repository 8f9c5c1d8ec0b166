"""Cache tags (elsewhere: surrogate keys): the labels by which fragments are purged, here and downstream.

A fragment's own tags name what it was made from, so they are a function of its key. Those of the slot and page that it
is shown in are added where it is answered with: many slots may show one fragment.

`item:SKU` · `template:home/hero.liquid` · `cta:ID` · `experiment:NAME` · `slot:page/slot` · `page:NAME`
"""

from collections.abc import Iterable
from sys import intern

Tag = str

EVERYTHING: Tag = "*"
"""Stands for whatever there is."""


def item_tag(sku: object) -> Tag:
    """Return the tag of what shows an item. Fragments that carry it share one string."""
    return intern(f"item:{sku}")


def template_tag(name: str) -> Tag:
    """Return the tag of what a template has a part in, as itself or taken in by another one."""
    return f"template:{name}"


def cta_tag(name: str) -> Tag:
    """Return the tag of what offers a call to action."""
    return f"cta:{name}"


def experiment_tag(name: str) -> Tag:
    """Return the tag of what shows an arm of an experiment."""
    return intern(f"experiment:{name}")


def place_tags(page: str, slot: str) -> tuple[Tag, Tag]:
    """Return the tags of whatever is shown in a slot."""
    return f"slot:{page}/{slot}", f"page:{page}"


def made_from(template: str, takes_in: Iterable[str], cta: str | None) -> tuple[Tag, ...]:
    """Return the tags that every fragment of one outcome has."""
    templates = (template_tag(name) for name in (template, *sorted(takes_in)))
    return (*templates, *([cta_tag(cta)] if cta is not None else []))
