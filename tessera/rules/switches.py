"""What is switched off by hand: a slot, a rule or an experiment, at once and without a new ruleset being written."""

from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from tessera.rules.diagnostics import did_you_mean
from tessera.rules.ruleset import Page, Rule, Ruleset, Slot


class Switch(NamedTuple):
    """One thing that can be switched off: an experiment, or a slot of a page, or one rule of that slot."""

    experiment: str | None = None
    page: str | None = None
    slot: str | None = None
    rule: str | None = None

    def __str__(self) -> str:
        if self.experiment is not None:
            return f"experiment {self.experiment}"
        slot = f"{self.page}/{self.slot}"
        return slot if self.rule is None else f"rule {self.rule} of {slot}"


def unknown(ruleset: Ruleset, switch: Switch) -> str | None:
    """What is wrong with a switch, in words: it names nothing in the ruleset. None where all is well."""
    if switch.experiment is not None:
        return _missing("experiment", switch.experiment, ruleset.experiments)
    places = {f"{page.name}/{slot}": page.slots[slot] for page in ruleset.pages.values() for slot in page.slots}
    place = f"{switch.page}/{switch.slot}"
    if place not in places:
        return _missing("slot", place, places)
    rules = [rule.name for rule in places[place].rules]
    return None if switch.rule is None else _missing("rule", switch.rule, rules)


def switched_off(ruleset: Ruleset, switches: Collection[Switch]) -> Ruleset:
    """The ruleset with these things off.

    A slot that is off shows its default; a rule that is off is as if it were not there, and so is one whose experiment
    is. What names nothing is passed over: it may have gone with a new version. Pages that nothing changes on are the
    same objects.
    """
    off = frozenset(switches)
    pages = {name: _page(page, off) for name, page in ruleset.pages.items()}
    return replace(ruleset, pages=pages)


def _page(page: Page, off: Collection[Switch]) -> Page:
    slots = {name: _slot(page.name, slot, off) for name, slot in page.slots.items()}
    layouts = _slot(page.name, page.layouts, off) if page.layouts is not None else None
    same = layouts is page.layouts and all(slots[name] is slot for name, slot in page.slots.items())
    return page if same else replace(page, slots=slots, layouts=layouts)


def _slot(page: str, slot: Slot, off: Collection[Switch]) -> Slot:
    if Switch(page=page, slot=slot.name) in off:
        return replace(slot, disabled=True)
    rules = tuple(_rule(page, slot.name, rule, off) for rule in slot.rules)
    return slot if all(new is old for new, old in zip(rules, slot.rules, strict=True)) else replace(slot, rules=rules)


def _rule(page: str, slot: str, rule: Rule, off: Collection[Switch]) -> Rule:
    if Switch(page=page, slot=slot, rule=rule.name) in off:
        return replace(rule, disabled=True)
    if rule.split is not None and Switch(experiment=rule.split.experiment.name) in off:
        return replace(rule, disabled=True)
    return rule


def _missing(noun: str, name: str, known: Collection[str]) -> str | None:
    if name in known:
        return None
    close = did_you_mean(name, known)
    return f"there is no {noun} `{name}`" + (f"; {close}" if close else "")
