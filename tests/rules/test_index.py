"""The index offers every rule that matters, few others, and changes no decision."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.rules.compile import compile_slot
from tessera.rules.facts import Value
from tessera.rules.index import Candidate, RuleIndex
from tessera.rules.ruleset import OnUnknown, Rule, Ruleset
from tests.rules import building, worlds

INDEXED = (
    'visitor.tier != "gold"',
    'visitor.tier not in ["gold", "none"]',
    'visitor.city == "Bonn"',
    "visitor.sessions == 3",
    "visitor.sessions < 3",
    "visitor.sessions <= 4",
    "visitor.sessions > 1",
    "visitor.visits between 2 and 4",
    "visitor.visits between 4 and 2",
    "visitor.visits in [1, 4]",
    "visitor.score >= 2.5",
    "app.version < 2.10.0",
    "visitor.joined_at before 2026-06-01",
    "visitor.joined_at after 2026-03-01T12:00Z",
    'visitor.favourites has "tents"',
    'visitor.favourites has all of ["tents", "packs"]',
    "visitor.tier is unknown",
    "visitor.favourites is known",
    "segment.members == false",
)


@st.composite
def rulesets(draw: st.DrawFn) -> Ruleset:
    """One page with one slot, whose rules ask for more that is indexed."""
    texts = worlds.expressions(*worlds.PLAIN, *worlds.TIMED, *INDEXED)
    found = draw(worlds.rulesets())
    page = found.pages["home"]
    hero = page.slots["hero"]
    rules = tuple(replace(rule, when=building.condition(draw(texts))) if rule.when else rule for rule in hero.rules)
    return replace(found, pages={"home": replace(page, slots={"hero": replace(hero, rules=rules)})})


@given(st.data(), rulesets(), worlds.moments, worlds.ages)
def test_the_indexed_decision_is_the_first_match(
    data: st.DataObject, rules: Ruleset, now: datetime, ages: dict[str, float]
) -> None:
    visitor = data.draw(worlds.visitors(now))
    indexed = compile_slot(rules, "home", "hero", index_from=0)
    plain = compile_slot(rules, "home", "hero", index_from=sys.maxsize)
    assert indexed.decide(visitor, now, ages) == plain.decide(visitor, now, ages)


@given(st.data(), rulesets(), worlds.moments)
def test_values_of_the_wrong_type_decide_alike(data: st.DataObject, rules: Ruleset, now: datetime) -> None:
    visitor = data.draw(worlds.visitors(now))
    name = data.draw(st.sampled_from(["visitor.sessions", "visitor.visits", "visitor.bought_at", "app.version"]))
    wrong = {**visitor, name: "x"}
    indexed = compile_slot(rules, "home", "hero", index_from=0).decide(wrong, now)
    plain = compile_slot(rules, "home", "hero", index_from=sys.maxsize).decide(wrong, now)
    assert indexed._replace(failed=()) == plain._replace(failed=())


def candidates(facts: Mapping[str, Value], *texts: str, on_unknown: OnUnknown | None = None) -> list[Candidate]:
    """What the index offers of rules with these conditions."""
    rules = [a_rule(text, on_unknown or OnUnknown()) for text in texts]
    return list(RuleIndex(rules, building.computed()).candidates(facts))


def a_rule(text: str, on_unknown: OnUnknown) -> Rule:
    return Rule(text, building.condition(text), None, on_unknown, None, None, worlds.NOWHERE)


def test_only_rules_that_the_facts_leave_possible_are_asked() -> None:
    conditions = [f"visitor.sessions == {number} and visitor.visits < {number}" for number in range(1_000)]
    assert candidates({"visitor.sessions": 700, "visitor.visits": 3}, *conditions) == [Candidate(700, True)]


def test_rules_are_offered_in_their_order() -> None:
    conditions = ["visitor.known", "not visitor.known", "visitor.known or visitor.returning", "true"]
    assert [place for place, _ in candidates({"visitor.known": True}, *conditions)] == [0, 2, 3]


def test_segments_are_indexed_by_what_they_stand_for() -> None:
    conditions = ["segment.members", "not segment.members", "segment.vip"]
    assert candidates({"visitor.tier": "gold"}, *conditions) == [Candidate(0, True)]
    assert candidates({"visitor.tier": "none", "segment.vip": True}, *conditions) == [
        Candidate(1, True),
        Candidate(2, True),
    ]


def test_a_default_is_indexed_like_any_value() -> None:
    assert candidates({}, "visitor.returning", "not visitor.returning") == [Candidate(1, True)]


@pytest.mark.parametrize(
    ("policy", "offered"),
    [
        (OnUnknown(), []),
        (OnUnknown("match"), [Candidate(0, False)]),
        (OnUnknown("stale", timedelta(minutes=5)), []),
    ],
)
def test_a_rule_on_an_unknown_fact_is_asked_if_it_may_accept_that(policy: OnUnknown, offered: list[Candidate]) -> None:
    assert candidates({}, "visitor.sessions >= 3", on_unknown=policy) == offered


def test_rules_that_read_stale_facts_are_all_asked_once_there_are_some() -> None:
    rules = [a_rule("visitor.known", policy) for policy in (OnUnknown(), OnUnknown("stale", timedelta(minutes=5)))]
    index = RuleIndex(rules, building.computed())
    assert list(index.candidates({}, any_stale=True)) == [Candidate(1, False)]


@pytest.mark.parametrize(
    "text",
    [
        'visitor.city == "bonn" ignoring case',
        'visitor.city starts with "B"',
        "visitor.sessions > visitor.visits",
        "visitor.bought_at within 30 days",
        'visitor.tags has all of ["a", "b"]',
        'visitor.tags has "a" and visitor.tags has "b"',
        'not (visitor.tags has "c")',
    ],
)
def test_a_condition_that_no_table_decides_is_left_to_the_rule(text: str) -> None:
    facts: dict[str, Value] = {
        "visitor.city": "Bonn",
        "visitor.tags": frozenset("ab"),
        "visitor.bought_at": building.NOW,
    }
    assert candidates(facts, text) == [Candidate(0, False)]


def test_a_condition_with_very_many_alternatives_is_indexed_by_the_rest_of_it() -> None:
    alternatives = " or ".join(f"visitor.visits == {number}" for number in range(50))
    conditions = [f'visitor.tier == "gold" and ({alternatives})']
    assert candidates({"visitor.tier": "gold", "visitor.visits": 99}, *conditions) == [Candidate(0, False)]
    assert candidates({"visitor.tier": "none", "visitor.visits": 3}, *conditions) == []


def test_values_of_the_wrong_type_leave_every_rule_to_be_asked() -> None:
    conditions = ["visitor.sessions > 3", "visitor.known"]
    assert candidates({"visitor.sessions": "many"}, *conditions) == [Candidate(0, False), Candidate(1, False)]
