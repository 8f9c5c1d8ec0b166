"""Every operator of the language, on known and on unknown facts: the rows of operators.yaml."""

from datetime import datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tessera.rules.closures import Clock, Compiler
from tessera.rules.conditions import phrase
from tessera.rules.conditions import tests_in as atoms
from tessera.rules.facts import coerce
from tessera.rules.findings import World, find
from tessera.rules.operators import OPERATORS
from tests.rules import building

CASES = YAML(typ="safe", pure=True).load(Path(__file__).with_name("operators.yaml"))
TRUTHS = {"true": True, "false": False, "unknown": None}


ROWS: list[tuple[str, dict[str, object], str]] = [
    (case["when"], given, truth) for case in CASES for given, truth in case["is"]
]


@pytest.mark.parametrize(("when", "given", "truth"), ROWS)
def test_operator(when: str, given: dict[str, object], truth: str) -> None:
    expr = building.condition(when)
    facts = building.facts()
    values = {name: coerce(facts[name], raw) for name, raw in given.items()}
    clock = Clock(building.NOW)
    assert Compiler(building.computed()).truth(expr)(values.get, clock) is TRUTHS[truth]
    assert find(expr, World(values, building.NOW, building.computed())).value is TRUTHS[truth]


def test_every_operator_is_seen_true_and_false_and_unknown() -> None:
    seen = {(test.operator.words, truth) for when, _, truth in ROWS for test in atoms(building.condition(when))}
    sure = {words for words, operator in OPERATORS.items() if operator.sees_unknown}
    wanted = {(words, truth) for words in OPERATORS for truth in TRUTHS if not (words in sure and truth == "unknown")}
    assert wanted <= seen


@pytest.mark.parametrize("when", sorted({when for when, _, _ in ROWS}))
def test_a_condition_is_told_as_it_can_be_written(when: str) -> None:
    expr = building.condition(when)
    assert phrase(building.condition(phrase(expr))) == phrase(expr)


def test_moments_are_told_in_utc() -> None:
    assert phrase(building.condition("visitor.bought_at before 2026-11-24T10:00+01:00")) == (
        "visitor.bought_at before 2026-11-24T09:00:00Z"
    )
    assert datetime.fromisoformat("2026-11-24T09:00:00Z") == building.NOW
