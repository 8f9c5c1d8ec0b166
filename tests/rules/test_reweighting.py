"""`tessera reweight`: an experiment's file with other weights, and who moves."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.rules.reweighting import moves, parse_weights, ranges_for, rewritten, to_growthbook
from tessera.rules.ruleset import Experiment
from tessera.rules.skeleton import compose
from tessera.rules.source import Source
from tests.rules import building

TEXTS = {
    "flow": "experiments:\n  copy: {arms: {control: 50, urgency: 50}}\n  three: {arms: {a: 40, b: 30, c: 30}}\n",
    "block": """\
experiments:
  copy: {arms: {control: 50, urgency: 50}}
  # three arms
  three:
    coverage: 50%   # for now
    arms:
      a: 40 # the old one
      b: 30
      c: 30   # the bold one
    # said of about
    about: how bold
""",
    "old": """\
experiments:
  copy: {arms: {control: 50, urgency: 50}}
  three:
    hash_version: 1
    ranges:
      a: [[0, 0.4]]
      b:
        - [0.4, 0.7]
      c: [[0.7, 1]] # the last
    arms: {a: 40, b: 30, c: 30}""",
}


def three(text: str) -> Experiment:
    return building.ruleset({"experiments.yaml": text, "home.yaml": building.PAGE}).experiments["three"]


def changed(text: str, weights: str) -> str:
    experiment = three(text)
    parsed = parse_weights(weights, experiment)
    return rewritten(text, "three", parsed, ranges_for(experiment, parsed))


def test_weights_and_ranges_are_written_and_comments_stay() -> None:
    assert changed(TEXTS["block"], "a=20, b=50, c=30") == TEXTS["block"].replace("a: 40 #", "a: 20 #").replace(
        "b: 30", "b: 50"
    ).replace(
        "the bold one\n",
        "the bold one\n    ranges: {a: [[0.0, 0.1]], b: [[0.1, 0.2], [0.4, 0.55]], c: [[0.7, 0.85]]}\n",
    )


def test_ranges_that_stand_there_are_replaced() -> None:
    assert changed(TEXTS["old"], "a=30,b=40,c=30") == (
        "experiments:\n  copy: {arms: {control: 50, urgency: 50}}\n  three:\n    hash_version: 1\n    ranges:\n"
        "      {a: [[0.0, 0.3]], b: [[0.3, 0.7]], c: [[0.7, 1.0]]} # the last\n    arms: {a: 30, b: 40, c: 30}"
    )


@settings(max_examples=25)
@given(st.sampled_from(sorted(TEXTS)), st.lists(st.integers(0, 100), min_size=2, max_size=2).map(sorted))
def test_what_is_written_is_read_as_what_was_worked_out(form: str, cuts: list[int]) -> None:
    weights = dict(zip("abc", (cuts[0], cuts[1] - cuts[0], 100 - cuts[1]), strict=True))
    experiment = three(TEXTS[form])
    text = changed(TEXTS[form], ",".join(f"{arm}={weight}" for arm, weight in weights.items()))
    again = three(text)
    assert again.ranges == ranges_for(experiment, {arm: Decimal(weight) for arm, weight in weights.items()})
    assert again.weights == tuple(weight / 100 for weight in weights.values())
    assert (again.coverage, again.seed, again.hash_version) == (
        experiment.coverage,
        experiment.seed,
        experiment.hash_version,
    )
    complaints: list[object] = []
    assert compose(Source("experiments.yaml", text), complaints) is not None  # type: ignore[arg-type]


def test_it_is_told_who_moves() -> None:
    experiment = three(TEXTS["block"])
    ranges = ranges_for(experiment, parse_weights("a=20,b=50,c=30", experiment))
    assert moves(experiment, ranges) == {("a", "b"): 0.1}
    assert moves(experiment, experiment.ranges) == {}


@pytest.mark.parametrize(
    "weights", ["a=50,b=50", "a=50,b=25,c=25,d=0", "a=50,a=25,b=25,c=0", "a=50,b=25,c=20", "a,b,c", ""]
)
def test_weights_that_cannot_be_used_are_refused(weights: str) -> None:
    with pytest.raises(ValueError, match=r"give each arm one weight: a=…, b=…, c=…|sum to 95, not to 100|`` is no"):
        parse_weights(weights, three(TEXTS["flow"]))


def test_growthbook_gets_a_variation_for_each_range() -> None:
    told = to_growthbook(three(changed(TEXTS["block"], "a=20,b=50,c=30")))
    assert told == {
        "key": "three",
        "variations": ["a", "b", "b", "c"],
        "meta": [{"key": "a"}, {"key": "b"}, {"key": "b"}, {"key": "c"}],
        "ranges": [[0.0, 0.1], [0.1, 0.2], [0.4, 0.55], [0.7, 0.85]],
        "coverage": 0.5,
        "hashAttribute": "visitor.id",
        "hashVersion": 2,
        "seed": "three",
        "active": True,
    }
