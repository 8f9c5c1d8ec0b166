"""Decisions about single visitors: order, unknown and stale facts, consent, windows, splits, horizons."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tessera.rules.compile import Truth, compile_fact, compile_slot
from tessera.rules.evaluate import Assignment, Decision, explain_slot
from tessera.rules.facts import CONSENT, TIMEZONE, Value
from tessera.rules.ruleset import Ruleset
from tests.rules.building import NOW, page, rule, ruleset

EXPERIMENT = "experiments: {copy: {arms: {control: 50, urgency: 50}, seed: s%s}}"
SPLIT = "{experiment: copy, arms: {control: {template: a.liquid}, urgency: {template: b.liquid}}}"


def decide(
    rules: Ruleset, facts: Mapping[str, Value], now: datetime = NOW, ages: Mapping[str, float] | None = None
) -> Decision:
    """The decision, which must be the same compiled and explained."""
    decision = compile_slot(rules, "home", "hero").decide(facts, now, ages)
    assert decision == explain_slot(rules, "home", "hero", facts, now, ages).decision
    return decision


def test_the_first_rule_that_matches_decides() -> None:
    rules = ruleset(page(rule("visitor.known", "known"), rule("cart.count > 0", "cart"), rule(name="rest")))
    assert decide(rules, {"visitor.known": True, "cart.count": 1}).rule == "known"
    assert decide(rules, {"visitor.known": False, "cart.count": 1}).rule == "cart"
    assert decide(rules, {}).rule == "rest"


def test_where_no_rule_matches_the_default_is_left() -> None:
    decision = decide(ruleset(page(rule("visitor.known"))), {"visitor.known": False})
    assert (decision.rule, decision.reason, decision.outcome.template) == (None, "DEFAULT", "home/hero.liquid")


def test_an_unknown_condition_does_not_match_unless_the_rule_says_so() -> None:
    assert decide(ruleset(page(rule("visitor.known"))), {}).rule is None
    rules = ruleset(page(rule("visitor.known", on_unknown="match")))
    assert decide(rules, {}).reason == "TARGETING_MATCH"
    assert decide(rules, {"visitor.known": False}).rule is None


def test_refused_consent_never_satisfies_match() -> None:
    rules = ruleset(page(rule("visitor.known", on_unknown="match")))
    assert decide(rules, {CONSENT: "denied"}).rule is None
    assert decide(rules, {CONSENT: "denied", "visitor.known": True}).rule == "only"
    assert decide(rules, {CONSENT: "unknown"}).rule == "only"


def test_stale_facts_are_unknown_except_to_rules_that_take_them() -> None:
    rules = ruleset(page(rule("visitor.tier == 'gold'", "fresh"), rule("segment.members", on_unknown="stale 15m")))
    gold: dict[str, Value] = {"visitor.tier": "gold"}
    assert decide(rules, gold).rule == "fresh"
    stale = decide(rules, gold, ages={"visitor.tier": 600.0})
    assert (stale.rule, stale.reason, stale.until) == ("only", "STALE", NOW + timedelta(minutes=5))
    assert decide(rules, gold, ages={"visitor.tier": 900.0}).rule is None
    assert decide(rules, {**gold, CONSENT: "denied"}, ages={"visitor.tier": 600.0}).rule is None


def test_an_answer_that_needs_no_stale_fact_is_not_stale() -> None:
    rules = ruleset(page(rule("visitor.known", on_unknown="stale 15m")))
    decision = decide(rules, {"visitor.known": True, "visitor.tier": "gold"}, ages={"visitor.tier": 60.0})
    assert (decision.reason, decision.until) == ("TARGETING_MATCH", None)


def test_a_default_stands_in_for_an_absent_and_for_a_stale_fact() -> None:
    rules = ruleset(page(rule("visitor.returning == false")))
    assert decide(rules, {}).rule == "only"
    assert decide(rules, {"visitor.returning": True}, ages={"visitor.returning": 1.0}).rule == "only"


def test_a_rule_that_fails_is_skipped_and_named() -> None:
    rules = ruleset(page(rule("cart.count > 0", "broken"), rule("visitor.known", "next")))
    decision = decide(rules, {"cart.count": "three", "visitor.known": True})
    assert (decision.rule, decision.failed) == ("next", ("broken",))


WINDOW = '{days: mon-fri, hours: "09:00-17:00", zone: Europe/Berlin}'


def test_a_window_opens_and_closes_a_rule() -> None:
    rules = ruleset(page(rule("visitor.known", during=WINDOW)))
    known: dict[str, Value] = {"visitor.known": True}
    opens, closes = datetime(2026, 11, 24, 8, tzinfo=UTC), datetime(2026, 11, 24, 16, tzinfo=UTC)
    assert (decide(rules, known, NOW).rule, decide(rules, known, NOW).until) == ("only", closes)
    assert decide(rules, known, closes).rule is None
    early = decide(rules, known, opens - timedelta(hours=1))
    assert (early.rule, early.until) == (None, opens)


def test_a_window_that_was_not_asked_for_bounds_nothing() -> None:
    rules = ruleset(page(rule("visitor.known", during=WINDOW)))
    assert decide(rules, {"visitor.known": False}).until is None
    assert decide(rules, {}).until is None


def test_a_window_in_the_visitors_zone_is_unknown_without_one() -> None:
    during = '{hours: "09:00-17:00", zone: visitor}'
    assert decide(ruleset(page(rule(during=during))), {}).rule is None
    assert decide(ruleset(page(rule(during=during, on_unknown="match"))), {}).rule == "only"
    assert decide(ruleset(page(rule(during=during))), {TIMEZONE: "Asia/Kolkata"}).rule == "only"


@pytest.mark.parametrize(
    ("bought", "rule_", "until"),
    [
        ("2026-11-20", "only", "2026-12-20"),
        ("2026-01-31", None, None),
        ("2026-11-25", None, "2026-11-25"),
    ],
)
def test_recency_says_until_when_it_holds(bought: str, rule_: str | None, until: str | None) -> None:
    rules = ruleset(page(rule("visitor.bought_at within 30 days")))
    decision = decide(rules, {"visitor.bought_at": datetime.fromisoformat(bought).replace(tzinfo=UTC)})
    assert decision.rule == rule_
    assert decision.until == (datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None)


def test_months_end_on_the_last_day_that_a_month_has() -> None:
    rules = ruleset(page(rule("visitor.bought_at older than 6 months")))
    bought: dict[str, Value] = {"visitor.bought_at": datetime(2026, 8, 31, 12, tzinfo=UTC)}
    turns = datetime(2027, 2, 28, 12, tzinfo=UTC)
    assert decide(rules, bought).until == turns
    assert decide(rules, bought, turns - timedelta(microseconds=1)).rule is None
    assert decide(rules, bought, turns).rule == "only"


def test_a_conjunction_holds_as_long_as_what_makes_it_false() -> None:
    rules = ruleset(page(rule("visitor.bought_at within 30 days and visitor.known")))
    bought: dict[str, Value] = {"visitor.bought_at": NOW, "visitor.known": False}
    assert decide(rules, bought).until is None
    assert decide(rules, {**bought, "visitor.known": True}).until == NOW + timedelta(days=30)


def test_a_disjunction_holds_as_long_as_what_makes_it_true() -> None:
    rules = ruleset(page(rule("visitor.bought_at within 30 days or visitor.known")))
    assert decide(rules, {"visitor.bought_at": NOW, "visitor.known": True}).until is None


def test_rules_that_were_not_reached_bound_nothing() -> None:
    rules = ruleset(page(rule("visitor.known", "first"), rule("visitor.bought_at within 30 days", "second")))
    assert decide(rules, {"visitor.known": True, "visitor.bought_at": NOW}).until is None


def test_a_split_assigns_one_arm_for_good() -> None:
    rules = ruleset({**page(rule("visitor.known", split=SPLIT)), "experiments.yaml": EXPERIMENT % 1})
    arms = set()
    for name in ("ada", "bob", "cleo", "dan", "eve", "flo"):
        decision = decide(rules, {"visitor.known": True, "visitor.id": name})
        assert decision == decide(rules, {"visitor.known": True, "visitor.id": name})
        assert decision.reason == "SPLIT"
        assert decision.assignment is not None
        arms.add((decision.assignment, decision.outcome.template))
    assert arms == {
        (Assignment("copy", "control", 1), "a.liquid"),
        (Assignment("copy", "urgency", 1), "b.liquid"),
    }


def test_without_a_unit_to_split_by_the_rule_does_not_match() -> None:
    rules = ruleset({**page(rule(split=SPLIT), rule(name="next")), "experiments.yaml": EXPERIMENT % 1})
    assert decide(rules, {}).rule == "next"
    trace = explain_slot(rules, "home", "hero", {}, NOW)
    assert (trace.rules[0].verdict, trace.rules[0].why) == (
        "unknown",
        "visitor.id, which the experiment splits by, is unknown",
    )


@pytest.mark.parametrize("status", ["paused", "stopped"])
def test_an_experiment_that_does_not_run_skips_its_rule(status: str) -> None:
    experiment = f"experiments: {{copy: {{arms: {{control: 50, urgency: 50}}, status: {status}}}}}"
    rules = ruleset({**page(rule(split=SPLIT), rule(name="next")), "experiments.yaml": experiment})
    assert decide(rules, {"visitor.id": "ada"}).rule == "next"
    trace = explain_slot(rules, "home", "hero", {"visitor.id": "ada"}, NOW)
    assert (trace.rules[0].verdict, trace.rules[0].why) == ("skipped", f"experiment copy is {status}")


def test_an_experiment_runs_between_its_dates() -> None:
    dates = "from: 2026-11-24T12:00Z, until: 2026-11-25"
    experiment = f"experiments: {{copy: {{arms: {{control: 50, urgency: 50}}, {dates}}}}}"
    rules = ruleset({**page(rule(split=SPLIT)), "experiments.yaml": experiment})
    ada: dict[str, Value] = {"visitor.id": "ada"}
    noon, midnight = datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)
    assert (decide(rules, ada).rule, decide(rules, ada).until) == (None, noon)
    assert (decide(rules, ada, noon).rule, decide(rules, ada, noon).until) == ("only", midnight)
    assert (decide(rules, ada, midnight).rule, decide(rules, ada, midnight).until) == (None, None)


def test_who_is_outside_of_an_experiment_goes_on_to_the_next_rule() -> None:
    experiment = "experiments: {copy: {arms: {control: 50, urgency: 50}, coverage: 0}}"
    rules = ruleset({**page(rule(split=SPLIT), rule(name="next")), "experiments.yaml": experiment})
    assert decide(rules, {"visitor.id": "ada"}).rule == "next"
    group = "experiments: {copy: {arms: {control: 50, urgency: 50}, group: {name: g, from: 0, until: 50}}}"
    rules = ruleset({**page(rule(split=SPLIT), rule(name="next")), "experiments.yaml": group})
    found = {decide(rules, {"visitor.id": str(number)}).rule for number in range(20)}
    assert found == {"only", "next"}


def test_a_computed_fact_is_told_to_who_reads_it_outside_of_conditions() -> None:
    rules = ruleset()
    lapsed = compile_fact(rules, "segment.lapsed")
    assert lapsed({}, NOW) == Truth(None, None)
    assert lapsed({"visitor.bought_at": NOW}, NOW) == Truth(False, datetime(2027, 5, 24, 9, tzinfo=UTC))
    assert lapsed({"visitor.bought_at": "never"}, NOW) == Truth(None, None)
    with pytest.raises(KeyError):
        compile_fact(rules, "segment.vip")
