"""Cache tags (elsewhere: surrogate keys): the labels by which fragments are purged, here and downstream.

A fragment's own tags name what it was made from, so they are a function of its key. Those of the slot and page that it
is shown in are added where it is answered with: many slots may show one fragment.

`item:SKU` · `template:home/hero.liquid` · `cta:ID` · `experiment:NAME` · `slot:page/slot` · `page:NAME`

Inputs have `visitor:ID`, `item:SKU` and `list:NAME`.
"""

from functools import lru_cache
from sys import intern

from tessera.renderer.core.inputs import Gathered, InputsPlan
from tessera.rules.diagnostics import did_you_mean

Tag = str

EVERYTHING: Tag = "everything"
"""Stands for whatever there is."""

KINDS = ("visitor", "item", "list", "template", "cta", "slot", "page", "experiment")

REMEMBERED = 1024
"""Combinations of tags that each outcome remembers, so that fragments with the same ones share them."""


class Tags:
    """The tags of the fragments of one outcome."""

    __slots__ = ("_inputs", "_tags")

    def __init__(self, template: str, cta: str | None, inputs: InputsPlan) -> None:
        """``cta`` is the one whose fields the template looks at, None where there is none."""
        self._inputs = inputs
        fixed = (template_tag(template), *([f"cta:{cta}"] if cta is not None else []))

        @lru_cache(REMEMBERED)
        def tags(skus: tuple[object, ...], experiment: str | None) -> tuple[Tag, ...]:
            arm = (f"experiment:{experiment}",) if experiment is not None else ()
            return (*fixed, *arm, *(intern(f"item:{sku}") for sku in skus))

        self._tags = tags

    def of(self, gathered: Gathered) -> tuple[Tag, ...]:
        """Return the tags of the fragment that is made of these inputs."""
        assignment = gathered.assignment
        return self._tags(self._inputs.skus(gathered), assignment.experiment if assignment is not None else None)


def problem_with(tag: str) -> str | None:
    """Say in the words of whoever wrote it why a text is no tag, with a suggestion on a second line; None if it is."""
    kind, colon, name = tag.partition(":")
    if kind in KINDS and colon and name:
        return None
    close = did_you_mean(kind, KINDS)
    said = f"`{tag}` is not a tag: write a kind, a colon and a name; kinds are {', '.join(KINDS)}"
    return f"{said}\n{close}" if close else said


def template_tag(name: str) -> Tag:
    """Return the tag of what a template renders. Those that it takes in are not named: they are many."""
    return f"template:{name}"
