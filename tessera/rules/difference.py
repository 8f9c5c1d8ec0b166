"""What two versions of a site's rules show in the same situations.

Compared is what the rules decide: template, call to action with its texts and link, list, item. What stands in the
templates is not.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from tessera.rules.compile import compile_slot
from tessera.rules.evaluate import Decision
from tessera.rules.ruleset import DEFAULT, LAYOUT, Ruleset
from tessera.rules.situations import Situation, explain_in, facts_for
from tessera.rules.source import Span
from tessera.rules.trace import shown
from tessera.rules.values import format_timestamp

MAX_EXAMPLES = 3
"""How many examples are told of each slot."""

_NOWHERE = Span("", 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Example:
    """A situation in which two versions show something else, with the rule that decides in each, and what it shows."""

    situation: Situation
    rules: tuple[str, str]
    shown: tuple[str, str]


@dataclass(frozen=True, slots=True)
class SlotDifference:
    """How many of the situations of one slot that were tried came out otherwise, with some of these.

    None are tried where both versions say the same, word for word.
    """

    page: str
    slot: str
    tried: int
    changed: int
    examples: tuple[Example, ...]


def slots_of(ruleset: Ruleset) -> list[tuple[str, str]]:
    """Every page and slot of a ruleset, the layouts of pages included."""
    return [
        (page.name, slot)
        for page in ruleset.pages.values()
        for slot in (*([LAYOUT] if page.layouts else []), *page.slots)
    ]


def compare(old: Ruleset, new: Ruleset, situations: Iterable[Situation]) -> list[SlotDifference]:
    """Decide in every situation by both; those of slots that one of them has not are left out."""
    both = set(slots_of(old)) & set(slots_of(new))
    deciders = (_Decider(old), _Decider(new))
    by_slot: dict[tuple[str, str], SlotDifference] = {}
    for situation in situations:
        place = (situation.page, situation.slot)
        if place not in both:
            continue
        so_far = by_slot.get(place) or SlotDifference(*place, 0, 0, ())
        example = _example(deciders, situation)
        by_slot[place] = replace(
            so_far,
            tried=so_far.tried + 1,
            changed=so_far.changed + (example is not None),
            examples=_with(so_far.examples, example),
        )
    return list(by_slot.values())


def untouched(old: Ruleset, new: Ruleset) -> list[SlotDifference]:
    """The slots of which both versions say the same, and of all that is shared too: they need not be tried."""
    if replace(old, version="", pages={}) != replace(new, version="", pages={}):
        return []
    return [
        SlotDifference(page, slot, 0, 0, ())
        for page, slot in slots_of(old)
        if (page, slot) in slots_of(new) and old.slot(page, slot) == new.slot(page, slot)
        if old.pages[page].params == new.pages[page].params
    ]


def to_text(differences: Sequence[SlotDifference], old: Ruleset, new: Ruleset) -> str:
    """For people: every slot that differs with its share and its examples, and how many do not differ."""
    lines = []
    for each in differences:
        if not each.changed:
            continue
        share = 100 * each.changed / each.tried
        lines.append(f"{each.page}/{each.slot}: {share:.1f} percent would see something else ({each.tried} tried)")
        for example in each.examples:
            facts = "; ".join(f"{name} = {json.dumps(value)}" for name, value in example.situation.facts.items())
            lines.append(f"  {example.rules[0]} → {example.rules[1]}")
            lines.append(f"    {example.shown[0]} → {example.shown[1]}")
            lines.append(f"    at {format_timestamp(example.situation.now)}: {facts or 'nothing is known'}")
    lines += [f"{page}/{slot}: only in one version, {which}" for (page, slot), which in _only(old, new).items()]
    lines.append(f"{sum(not each.changed for each in differences)} of {len(differences)} slots are as before")
    return "\n".join(lines) + "\n"


def to_json(differences: Sequence[SlotDifference], old: Ruleset, new: Ruleset) -> dict[str, object]:
    """The same as JSON-ready objects; `share` is in [0, 1]."""
    return {
        "slots": [
            {
                "page": each.page,
                "slot": each.slot,
                "tried": each.tried,
                "share": each.changed / max(each.tried, 1),
                "examples": [
                    {
                        "situation": example.situation.to_json(),
                        "old": {"rule": example.rules[0], "shows": example.shown[0]},
                        "new": {"rule": example.rules[1], "shows": example.shown[1]},
                    }
                    for example in each.examples
                ],
            }
            for each in differences
        ],
        "only_old": [f"{page}/{slot}" for (page, slot), which in _only(old, new).items() if which == "the old"],
        "only_new": [f"{page}/{slot}" for (page, slot), which in _only(old, new).items() if which == "the new"],
    }


def _only(old: Ruleset, new: Ruleset) -> Mapping[tuple[str, str], str]:
    before, after = slots_of(old), slots_of(new)
    return {
        **{place: "the old" for place in before if place not in after},
        **{place: "the new" for place in after if place not in before},
    }


class _Decider:
    """Decides as visitors are served, which is fast; with the full account where buckets are told."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self._matcher = cache(partial(compile_slot, ruleset))

    def decide(self, situation: Situation) -> Decision:
        if situation.buckets:
            return explain_in(self.ruleset, situation).decision
        matcher = self._matcher(situation.page, situation.slot)
        return matcher.decide(facts_for(self.ruleset, situation), situation.now, {})


def _example(deciders: tuple[_Decider, _Decider], situation: Situation) -> Example | None:
    """None where both show the same."""
    before, after = (each.decide(situation) for each in deciders)
    if _content(deciders[0].ruleset, before) == _content(deciders[1].ruleset, after):
        return None
    rules = (before.rule or DEFAULT, after.rule or DEFAULT)
    return Example(situation, rules, (shown(before), shown(after)))


def _content(ruleset: Ruleset, decision: Decision) -> object:
    """All that a decision shows, apart from where it is written."""
    outcome = decision.outcome
    cta = None if outcome.cta is None else replace(ruleset.ctas[outcome.cta.name], params={}, span=_NOWHERE)
    items = None if outcome.items is None else replace(ruleset.lists[outcome.items], span=_NOWHERE)
    return replace(outcome, span=_NOWHERE), cta, items


def _with(examples: tuple[Example, ...], example: Example | None) -> tuple[Example, ...]:
    """Examples, each for another pair of rules."""
    if example is None or len(examples) == MAX_EXAMPLES or any(each.rules == example.rules for each in examples):
        return examples
    return (*examples, example)
