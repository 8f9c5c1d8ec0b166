"""What holds for any rules and visitor: compiled and explained decisions agree, and hold as long as they say."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.rules.compile import compile_slot
from tessera.rules.conditions import AllOf, AnyOf, Expr, Not
from tessera.rules.evaluate import Decision, explain_slot
from tessera.rules.facts import Value
from tessera.rules.findings import World, find
from tessera.rules.ruleset import Ruleset
from tests.rules import building, worlds

INSTANT = timedelta(microseconds=1)


@given(st.data(), worlds.rulesets(), worlds.moments, worlds.ages)
def test_the_compiled_decision_is_the_explained_one(
    data: st.DataObject, rules: Ruleset, now: datetime, ages: dict[str, float]
) -> None:
    visitor = data.draw(worlds.visitors(now))
    decision = compile_slot(rules, "home", "hero").decide(visitor, now, ages)
    assert decision == explain_slot(rules, "home", "hero", visitor, now, ages).decision


@given(st.data(), worlds.rulesets(), worlds.moments, worlds.ages, st.floats(0, 1, exclude_max=True))
def test_a_decision_holds_until_it_says(
    data: st.DataObject, rules: Ruleset, now: datetime, ages: dict[str, float], when: float
) -> None:
    visitor = data.draw(worlds.visitors(now))
    matcher = compile_slot(rules, "home", "hero")
    decision = matcher.decide(visitor, now, ages)
    until = decision.until
    assert until is None or until > now
    last = until - INSTANT if until else now + timedelta(days=3660)
    for later in (now + (last - now) * when, last):
        older = {name: age + (later - now).total_seconds() for name, age in ages.items()}
        assert _without_until(matcher.decide(visitor, later, older)) == _without_until(decision)


@given(st.data(), worlds.rulesets(), worlds.moments)
def test_values_of_the_wrong_type_never_raise(data: st.DataObject, rules: Ruleset, now: datetime) -> None:
    visitor = data.draw(worlds.visitors(now))
    names = data.draw(st.sets(st.sampled_from(sorted(visitor)))) if visitor else set()
    others: st.SearchStrategy[Value] = st.sampled_from(["x", 1, now])
    wrong = {**visitor, **{name: data.draw(others) for name in names}}
    decision = compile_slot(rules, "home", "hero").decide(wrong, now)
    explained = explain_slot(rules, "home", "hero", wrong, now).decision
    assert decision._replace(failed=()) == explained._replace(failed=())
    assert set(decision.failed) <= set(explained.failed)  # which asks every part, needed or not


@pytest.mark.parametrize("when", ["segment.loyal is known", "segment.loyal is unknown"])
def test_a_segment_that_cannot_be_told_for_a_wrong_value_fails_the_rule(when: str) -> None:
    rules = building.ruleset(building.page(building.rule(when, "r")))
    visitor: dict[str, Value] = {"visitor.bought_at": "x"}  # who may be a member or not
    decision = compile_slot(rules, "home", "hero").decide(visitor, building.NOW)
    assert (decision.reason, decision.failed) == ("DEFAULT", ("r",))
    assert explain_slot(rules, "home", "hero", visitor, building.NOW).decision == decision


@given(st.data(), worlds.expressions(*worlds.PLAIN, *worlds.TIMED), worlds.moments)
def test_learning_a_fact_never_turns_a_truth_round(data: st.DataObject, text: str, now: datetime) -> None:
    visitor = data.draw(worlds.visitors(now))
    visitor["visitor.returning"] = True
    names = sorted(visitor.keys() - {"visitor.returning"})
    forgotten = data.draw(st.sets(st.sampled_from(names))) if names else set()
    expr = building.condition(text)
    before = _truth(expr, {name: value for name, value in visitor.items() if name not in forgotten}, now)
    assert before is None or before is _truth(expr, visitor, now)


@given(
    st.data(),
    worlds.expressions(*worlds.PLAIN, *worlds.TIMED, *worlds.PRESENCE),
    worlds.expressions(*worlds.PLAIN, *worlds.TIMED, *worlds.PRESENCE),
    worlds.moments,
)
def test_and_or_not_obey_kleene(data: st.DataObject, one: str, other: str, now: datetime) -> None:
    visitor = data.draw(worlds.visitors(now))
    a, b = building.condition(one), building.condition(other)

    def same(left: Expr, right: Expr) -> bool:
        return _truth(left, visitor, now) is _truth(right, visitor, now)

    assert same(Not(Not(a)), a)
    assert same(AllOf((a, b)), AllOf((b, a)))
    assert same(Not(AllOf((a, b))), AnyOf((Not(a), Not(b))))
    assert same(Not(AnyOf((a, b))), AllOf((Not(a), Not(b))))
    assert same(AllOf((a, AnyOf((a, b)))), a)
    order = [False, None, True]
    assert order.index(_truth(AllOf((a, b)), visitor, now)) == min(
        order.index(_truth(each, visitor, now)) for each in (a, b)
    )


def _truth(expr: Expr, visitor: dict[str, Value], now: datetime) -> bool | None:
    return find(expr, World(visitor, now, building.computed())).value


def _without_until(decision: Decision) -> Decision:
    return decision._replace(until=None)
