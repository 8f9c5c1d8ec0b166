"""Holdouts, rollouts by date, and units with something to fall back on."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from tessera.rules.compile import compile_slot
from tessera.rules.demands import slot_reads
from tessera.rules.evaluate import Decision, RuleTrace, explain_slot
from tessera.rules.facts import Value
from tessera.rules.ruleset import Ruleset
from tessera.rules.split import bucket
from tessera.rules.trace import to_text
from tests.rules.building import NOW, page, rule, ruleset

SPLIT = "{experiment: copy, arms: {control: {template: a.liquid}, urgency: {template: b.liquid}}}"
COPY = "experiments: {copy: {arms: {control: 50, urgency: 50}%s}, other: {arms: {a: 50, b: 50}}}\n"
STEPS = "{2026-11-20: 5, 2026-11-24T12:00Z: 25, 2026-12-01: 100}"
NOON, DECEMBER = datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
PEOPLE = [f"visitor {number}" for number in range(400)]


def decide(rules: Ruleset, facts: Mapping[str, Value], now: datetime = NOW) -> Decision:
    """The decision, which must be the same compiled and explained."""
    decision = compile_slot(rules, "home", "hero").decide(facts, now)
    assert decision == explain_slot(rules, "home", "hero", facts, now).decision
    return decision


def first(rules: Ruleset, facts: Mapping[str, Value], now: datetime = NOW, at: float | None = None) -> RuleTrace:
    return explain_slot(rules, "home", "hero", facts, now, at_bucket=at).rules[0]


def splitting(experiment: str = "", holdouts: str = "{}") -> Ruleset:
    shared = COPY % experiment + f"holdouts: {holdouts}\n"
    return ruleset({**page(rule(split=SPLIT), rule(name="next")), "experiments.yaml": shared})


def with_place(below: float, seed: str) -> tuple[str, str]:
    """Somebody whose place is below a share, and somebody whose is not."""
    inside = [name for name in PEOPLE if (bucket(seed, name, 2) or 0) < below]
    return inside[0], next(name for name in PEOPLE if name not in inside)


def test_a_holdout_keeps_the_same_visitors_out_of_every_experiment() -> None:
    rules = splitting(holdouts="{everything: {share: 20, seed: h}}")
    inside, outside = with_place(0.2, "h")
    assert decide(rules, {"visitor.id": inside}).rule == "next"
    assert decide(rules, {"visitor.id": outside}).rule == "only"
    told = first(rules, {"visitor.id": inside})
    assert (told.verdict, told.holdout) == ("unmatched", "everything")
    assert told.why == "holdout everything keeps the visitor out of experiment copy"
    kept = sum(decide(rules, {"visitor.id": name}).rule == "next" for name in PEOPLE)
    assert kept == sum((bucket("h", name, 2) or 0) < 0.2 for name in PEOPLE)


@pytest.mark.parametrize(
    ("holdout", "rule_"),
    [
        ("{share: 100}", "next"),
        ("{share: 0}", "only"),
        ("{share: 100, covers: [copy]}", "next"),
        ("{share: 100, covers: [other]}", "only"),
        ("{share: 100, status: paused}", "only"),
        ("{share: 100, unit: visitor.city}", "only"),
        ("{share: 100, unit: visitor.city, fallback: visitor.id}", "next"),
    ],
)
def test_a_holdout_covers_what_it_says(holdout: str, rule_: str) -> None:
    assert decide(splitting(holdouts=f"{{h: {holdout}}}"), {"visitor.id": "ada"}).rule == rule_


def test_a_test_at_a_bucket_leaves_holdouts_aside() -> None:
    rules = splitting(holdouts="{h: {share: 100}}")
    assert first(rules, {}, at=0.6).decision is not None


def test_deciding_reads_what_is_hashed() -> None:
    rules = splitting(", unit: visitor.city, fallback: visitor.home", "{h: {share: 5, unit: visitor.sessions}}")
    assert slot_reads(rules, "home", "hero") == {"visitor.city", "visitor.home", "visitor.sessions"}
    rolled = ruleset(page(rule(rollout=f"{{seed: s, unit: visitor.tier, fallback: visitor.id, steps: {STEPS}}}")))
    assert slot_reads(rolled, "home", "hero") == {"visitor.tier", "visitor.id"}


def test_what_stands_in_for_the_unit_is_hashed_where_the_unit_is_unknown() -> None:
    rules = splitting(", unit: visitor.city, fallback: visitor.id")
    by_city = decide(rules, {"visitor.city": "Bonn", "visitor.id": "ada"})
    assert by_city.assignment == decide(rules, {"visitor.id": "Bonn"}).assignment
    assert first(rules, {"visitor.city": "Bonn", "visitor.id": "ada"}).unit == "visitor.city"
    assert first(rules, {"visitor.id": "ada"}).unit == "visitor.id"
    assert first(rules, {"visitor.city": "", "visitor.id": "ada"}).unit == "visitor.id"
    nobody = first(rules, {})
    assert nobody.verdict == "unknown"
    assert nobody.why == "visitor.city or visitor.id, which the experiment splits by, is unknown"


ROLLED = ruleset(page(rule(rollout=f"{{seed: s, steps: {STEPS}}}"), rule(name="next")))


def test_a_rollout_reaches_more_visitors_step_by_step_and_loses_none() -> None:
    before: set[str] = set()
    for now, share in [(NOW - timedelta(days=9), 0.0), (NOW, 0.05), (NOON, 0.25), (DECEMBER, 1.0)]:
        reached = {name for name in PEOPLE if decide(ROLLED, {"visitor.id": name}, now).rule == "only"}
        assert reached == {name for name in PEOPLE if (bucket("s", name, 2) or 0) < share}
        assert reached >= before
        before = reached


def test_the_next_step_bounds_the_decision_for_whom_it_could_reach() -> None:
    inside, outside = with_place(0.05, "s")
    assert decide(ROLLED, {"visitor.id": inside}) == Decision(
        decide(ROLLED, {"visitor.id": inside}).outcome, "TARGETING_MATCH", "only", None, None
    )
    assert decide(ROLLED, {"visitor.id": outside}).until == NOON
    assert decide(ROLLED, {"visitor.id": outside}, DECEMBER).until is None
    assert decide(ROLLED, {"visitor.id": inside}, datetime(2026, 1, 1, tzinfo=UTC)).until == datetime(
        2026, 11, 20, tzinfo=UTC
    )


def test_the_trace_tells_how_far_a_rollout_is() -> None:
    _, outside = with_place(0.25, "s")
    assert first(ROLLED, {"visitor.id": outside}, NOON).why == "the rollout is at 25 %"
    assert first(ROLLED, {"visitor.id": outside}, datetime(2026, 1, 1, tzinfo=UTC)).why == "the rollout has not begun"
    assert first(ROLLED, {}).why == "visitor.id, which the rollout goes by, is unknown"
    assert decide(ROLLED, {}).until is None


def test_coverage_by_date_grows_and_moves_nobody_between_arms() -> None:
    rules = splitting(f", coverage: {STEPS}")
    for name in PEOPLE[:100]:
        arms = [decide(rules, {"visitor.id": name}, now).assignment for now in (NOW, NOON, DECEMBER)]
        known = [arm for arm in arms if arm is not None]
        assert arms == [None] * (3 - len(known)) + known
        assert len(set(known)) == 1
    early = decide(rules, {"visitor.id": "ada"}, datetime(2026, 1, 1, tzinfo=UTC))
    assert (early.rule, early.until) == ("next", datetime(2026, 11, 20, tzinfo=UTC))


def test_a_sticky_experiment_leaves_visitors_on_the_arm_that_they_were_first_shown() -> None:
    rules = splitting(", sticky: true, coverage: 0, until: 2027-01-01", "{h: {share: 10, seed: h}}")
    inside, outside = with_place(0.1, "h")
    assert slot_reads(rules, "home", "hero") == {"visitor.id", "assigned.copy"}
    for arm in ("control", "urgency"):
        kept: dict[str, Value] = {"visitor.id": outside, "assigned.copy": arm}
        decision = decide(rules, kept)
        assert decision.assignment is not None
        assert (decision.assignment.arm, decision.until) == (arm, datetime(2027, 1, 1, tzinfo=UTC))
        assert first(rules, kept).kept
        assert "arm kept since it was first shown" in to_text(explain_slot(rules, "home", "hero", kept, NOW))
        assert decide(rules, {**kept, "visitor.id": inside}).rule == "next"
    assert decide(rules, {"visitor.id": outside}).rule == "next"
    assert decide(rules, {"visitor.id": outside, "assigned.copy": "gone"}).rule == "next"
    assert decide(splitting(), {"visitor.id": "ada", "assigned.copy": "gone"}).rule == "only"


class Unreadable:
    """A value that cannot be hashed."""

    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    "broken",
    [
        rule(name="broken", split=SPLIT),
        rule(name="broken", rollout=f"{{seed: s, steps: {STEPS}}}"),
        rule(name="broken", rollout=f"{{seed: s, unit: visitor.city, fallback: visitor.id, steps: {STEPS}}}"),
    ],
)
def test_a_rule_that_fails_while_hashing_is_skipped_and_named(broken: str) -> None:
    shared = COPY % "" + "holdouts: {h: {share: 5}}\n"
    rules = ruleset({**page(broken, rule(name="next")), "experiments.yaml": shared})
    facts = cast("Mapping[str, Value]", {"visitor.id": Unreadable()})
    decision = decide(rules, facts)
    assert (decision.rule, decision.failed) == ("next", ("broken",))


def test_values_of_no_sensible_type_are_hashed_and_take_nothing_down() -> None:
    odd: dict[str, Value] = {"visitor.id": timedelta(days=1)}
    assert decide(ROLLED, odd, DECEMBER).rule == "only"
    assert decide(splitting(holdouts="{h: {share: 50}}"), odd).rule in ("only", "next")
