"""What is proved of rules is so: no visitor contradicts it, and whoever is given as an example is one."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.rules.compile import compile_slot
from tessera.rules.evaluate import explain_slot
from tessera.rules.facts import Value
from tessera.rules.findings import World, find
from tessera.rules.proof.axes import Axes
from tessera.rules.proof.reach import unreached
from tessera.rules.proof.regions import Regions
from tessera.rules.proof.ways import Condition, TooMany, Way
from tessera.rules.ruleset import Ruleset
from tests.rules import building, worlds

CLOSE = (
    "true",
    "visitor.returning",
    "segment.members",
    'visitor.tier == "gold"',
    'visitor.tier in ["none", "silver"]',
    "visitor.sessions >= 3",
    "visitor.sessions between 2 and 4",
    "segment.lapsed",
    "visitor.bought_at within 30 days",
    'visitor.favourites has any of ["tents", "packs"]',
    "visitor.tier is known",
    "visitor.bought_at is unknown",
)
"""Tests of few facts, so that rules often come in each other's way."""

DIVIDING = (
    "visitor.sessions < 3",
    "visitor.sessions >= 3",
    "visitor.sessions between 2 and 4",
    "visitor.sessions is unknown",
    "visitor.sessions is known",
    "visitor.sessions == 5 or visitor.tier is unknown",
    'visitor.tier in ["none", "silver"]',
    'visitor.tier in ["gold", "platinum"]',
    'visitor.tier == "gold" and visitor.sessions > 3',
    'visitor.tier != "gold" or visitor.sessions < 5',
    'not (visitor.tier == "silver" or visitor.sessions == 2)',
)

EVERYBODY: tuple[dict[str, Value], ...] = tuple(
    {
        **({} if sessions is None else {"visitor.sessions": sessions}),
        **({} if tier is None else {"visitor.tier": tier}),
    }
    for sessions in (None, *range(7))
    for tier in (None, "none", "silver", "gold", "platinum")
)
"""Every visitor whom these tests can tell from others."""

SAYABLE = (
    "visitor.known",
    'visitor.tier == "gold"',
    'visitor.city != "Bonn"',
    'visitor.city in ["Bonn", "Ulm"]',
    "visitor.sessions > 3",
    "visitor.sessions between 2 and 4",
    "visitor.score <= 2.5",
    "visitor.score > 2.4",
    "cart.value < 50.00",
    "cart.value >= 49.99",
    "visitor.stay >= 2 hours",
    "visitor.joined_at before 2026-01-01",
    "visitor.joined_at after 2025-12-31",
    "app.version > 2.9.0",
    "app.version < 2.10.0",
    "visitor.tier is unknown",
    "segment.members",
)
"""Tests that say which values a fact may have."""


@settings(max_examples=100)
@given(st.data(), worlds.rulesets(*CLOSE), worlds.moments, worlds.ages)
def test_a_rule_that_is_called_unreached_decides_for_nobody(
    data: st.DataObject, rules: Ruleset, now: datetime, ages: dict[str, float]
) -> None:
    regions = Regions(rules.slot("home", "hero"), rules.computed)
    names = {rule.name for rule, _ in unreached(regions)}
    for _ in range(8 if names else 0):
        visitor = data.draw(worlds.visitors(now))
        assert explain_slot(rules, "home", "hero", visitor, now, ages).decision.rule not in names


@settings(max_examples=60)
@given(st.lists(st.sampled_from(DIVIDING), min_size=3, max_size=6))
def test_several_rules_that_cover_another_are_found_and_leave_nobody(texts: list[str]) -> None:
    written = [building.rule(text, f"r{number}") for number, text in enumerate(texts)]
    rules = building.ruleset(building.page(*written))
    found = {rule.name for rule, _ in unreached(Regions(rules.slot("home", "hero"), rules.computed))}
    matcher = compile_slot(rules, "home", "hero")
    deciding = {matcher.decide(visitor, building.NOW).rule for visitor in EVERYBODY}
    assert found == {f"r{number}" for number in range(len(texts))} - deciding


@given(st.data(), worlds.expressions(*CLOSE, *worlds.PLAIN, *worlds.TIMED, *worlds.PRESENCE), worlds.moments)
def test_a_condition_without_a_way_is_never_satisfied(data: st.DataObject, text: str, now: datetime) -> None:
    expr = building.condition(text)
    visitor = data.draw(worlds.visitors(now))
    truth = find(expr, World(visitor, now, building.computed())).value
    assert _ways(text, lenient=False) != () or truth is not True
    assert _ways(text, lenient=True) != () or truth is False


@settings(max_examples=60)
@given(worlds.expressions(*SAYABLE), worlds.expressions(*SAYABLE))
def test_who_is_named_for_two_rules_satisfies_both(one: str, other: str) -> None:
    rules = building.ruleset(building.page(building.rule(one, "one"), building.rule(other, "other")))
    regions = Regions(rules.slot("home", "hero"), rules.computed)
    found = regions.overlap(*regions.rules)
    if found is not None:
        facts = {name: value for name, value in found.facts.items() if value is not None}
        assert found.besides == ()
        for text in (one, other):
            assert find(building.condition(text), World(facts, building.NOW, rules.computed)).value is True, found.text


def _ways(text: str, lenient: bool) -> tuple[Way, ...] | None:
    expr = building.condition(text)
    try:
        return Condition(Axes([expr], building.computed()), building.computed()).ways(expr, lenient=lenient)
    except TooMany:
        return None


COPY = "{experiment: copy, arms: {control: nothing, urgency: nothing}}"
TONE = "{experiment: tone, arms: {warm: nothing, cool: nothing}}"
GOLD = 'visitor.tier == "gold"'
IN_ORDER = {
    "the later rule takes those whose tier is unknown": [
        building.rule(GOLD, "a"),
        building.rule(GOLD, "b", on_unknown="match"),
    ],
    "the later rule reads facts that are stale to the earlier": [
        building.rule(GOLD, "a"),
        building.rule(GOLD, "b", on_unknown="stale 15m"),
    ],
    "there is a whole number between the others": [
        building.rule("visitor.sessions == 2", "a"),
        building.rule("visitor.sessions == 4", "b"),
        building.rule("visitor.sessions between 2 and 4", "c"),
    ],
    "the experiment need not cover everybody": [
        building.rule(GOLD, "a", split=COPY),
        building.rule(GOLD, "b"),
    ],
    "the window of the earlier rule closes": [
        building.rule(GOLD, "a", during="{days: mon-fri}"),
        building.rule(GOLD, "b"),
    ],
    "the experiments are never there on the same day": [
        building.rule(GOLD, "a", during="{days: mon-fri}", split=COPY),
        building.rule(GOLD, "b", during="{days: sat-sun}", split=TONE),
    ],
    "gold is left to the default by a fact that has more to tell": [
        building.rule('visitor.tier == "silver"', "a"),
        building.rule('visitor.tier == "platinum" or visitor.known', "b"),
    ],
}


@pytest.mark.parametrize("rules", IN_ORDER.values(), ids=IN_ORDER.keys())
def test_what_is_in_order_is_not_complained_of(rules: list[str]) -> None:
    assert building.complaints(building.page(*rules)) == ""


def test_what_is_proved_stops_nothing() -> None:
    loaded = building.load(building.page(building.rule(f"{GOLD} and not {GOLD}", "a")))
    assert [(each.code, each.severity) for each in loaded.diagnostics] == [("R501", "warning")]
    assert loaded.ruleset is not None
