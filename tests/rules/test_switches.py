"""What is switched off by hand: it decides nothing, says so, and leaves everything else as it is."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.rules.compile import compile_slot
from tessera.rules.evaluate import explain_slot
from tessera.rules.facts import Value
from tessera.rules.ruleset import Ruleset
from tessera.rules.switches import Switch, switched_off, unknown
from tests.rules import building, worlds

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
HERO = Switch(page="home", slot="hero")
SITE = {
    "experiments.yaml": "experiments:\n  copy: {unit: visitor.id, arms: {a: 50, b: 50}}\n",
    "home.yaml": """\
page: home
slots:
  hero:
    default: {template: plain.liquid}
    rules:
      - name: Gold
        when: visitor.tier == "gold"
        show: {template: gold.liquid}
      - name: Copy
        split: {experiment: copy, arms: {a: {template: a.liquid}, b: {template: b.liquid}}}
  other: {default: {template: plain.liquid}}
""",
}
GOLD: dict[str, Value] = {"visitor.tier": "gold", "visitor.id": "ann"}


@pytest.fixture(scope="module")
def rules() -> Ruleset:
    loaded = building.load(SITE)
    assert loaded.ruleset is not None, loaded.diagnostics
    return loaded.ruleset


def rule_of(rules: Ruleset, *switches: Switch) -> tuple[str, str | None]:
    decision = compile_slot(switched_off(rules, switches), "home", "hero").decide(GOLD, NOW)
    return decision.reason, decision.rule


def test_a_rule_that_is_off_is_as_if_it_were_not_there(rules: Ruleset) -> None:
    assert rule_of(rules) == ("TARGETING_MATCH", "Gold")
    assert rule_of(rules, HERO._replace(rule="Gold")) == ("SPLIT", "Copy")


def test_an_experiment_that_is_off_is_passed_over_wherever_it_is_used(rules: Ruleset) -> None:
    assert rule_of(rules, HERO._replace(rule="Gold"), Switch(experiment="copy")) == ("DEFAULT", None)


def test_a_slot_that_is_off_shows_its_default_and_says_why(rules: Ruleset) -> None:
    assert rule_of(rules, HERO) == ("DISABLED", None)


def test_pages_that_nothing_changes_on_are_the_same(rules: Ruleset) -> None:
    gone = switched_off(rules, [Switch(experiment="none"), Switch(page="away", slot="hero")])
    assert gone.pages["home"] is rules.pages["home"]


def test_the_trace_says_what_was_off(rules: Ruleset) -> None:
    told = explain_slot(switched_off(rules, [HERO._replace(rule="Gold")]), "home", "hero", GOLD, NOW)
    assert (told.rules[0].verdict, told.rules[0].why) == ("skipped", "it is switched off")
    told = explain_slot(switched_off(rules, [HERO]), "home", "hero", GOLD, NOW)
    assert [rule.why for rule in told.rules] == ["the slot is switched off"] * 2


@pytest.mark.parametrize(
    ("switch", "problem"),
    [
        (HERO, None),
        (HERO._replace(rule="Gold"), None),
        (Switch(experiment="copy"), None),
        (Switch(page="home", slot="hiro"), "there is no slot `home/hiro`; did you mean `home/hero`?"),
        (HERO._replace(rule="Gould"), "there is no rule `Gould`; did you mean `Gold`?"),
        (Switch(experiment="xyz"), "there is no experiment `xyz`"),
    ],
)
def test_a_switch_that_names_nothing_is_refused(rules: Ruleset, switch: Switch, problem: str | None) -> None:
    assert unknown(rules, switch) == problem


@given(st.data(), worlds.rulesets(), worlds.moments, worlds.ages)
def test_with_switches_too_the_fast_matcher_agrees_with_the_account(
    data: st.DataObject, rules: Ruleset, now: datetime, ages: dict[str, float]
) -> None:
    things = [HERO, Switch(experiment="copy"), *(HERO._replace(rule=f"rule {n}") for n in range(4))]
    off = switched_off(rules, data.draw(st.sets(st.sampled_from(things))))
    visitor = data.draw(worlds.visitors(now))
    decision = explain_slot(off, "home", "hero", visitor, now, ages).decision
    assert compile_slot(off, "home", "hero").decide(visitor, now, ages) == decision
