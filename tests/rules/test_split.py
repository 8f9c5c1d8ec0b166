"""Splits: GrowthBook's published vectors, and reweighting that moves as few visitors as possible."""

import json
import os
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.rules.split import Range, bucket, bucket_ranges, choose, equal_weights, in_namespace, reweight


@cache
def vectors(section: str) -> list[Any]:
    folder = os.environ.get("TESSERA_SUITES")
    if folder is None:
        pytest.skip("TESSERA_SUITES does not name the folder of conformance data")
    suite: dict[str, list[Any]] = json.loads(Path(folder, "growthbook_hashing.json").read_text("utf-8"))
    return suite[section]


def rounded(ranges: Sequence[Sequence[float]]) -> list[list[float]]:
    return [[round(edge, 8) for edge in pair] for pair in ranges]


def test_buckets_are_those_of_growthbook() -> None:
    assert [bucket(*given) for *given, _ in vectors("hash")] == [expected for *_, expected in vectors("hash")]


def test_bucket_ranges_are_those_of_growthbook() -> None:
    for name, arguments, expected in vectors("getBucketRange"):
        assert rounded(bucket_ranges(*arguments)) == expected, name


def test_choices_are_those_of_growthbook() -> None:
    for name, n, ranges, expected in vectors("chooseVariation"):
        assert choose(n, [(each,) for each in ranges]) == expected, name


def test_namespaces_are_those_of_growthbook() -> None:
    for name, value, namespace, expected in vectors("inNamespace"):
        assert in_namespace(value, *namespace) == expected, name


def test_equal_weights_are_those_of_growthbook() -> None:
    for count, expected in vectors("getEqualWeights"):
        assert [round(weight, 8) for weight in equal_weights(count)] == expected


def test_an_unknown_hash_version_gives_no_bucket() -> None:
    assert bucket("seed", "a", 3) is None


def test_text_beyond_ascii_hashes_by_utf_16_code_unit() -> None:
    # Computed with GrowthBook's JavaScript `hash`; its Python SDK hashes code points, and differs for the emoji.
    assert [bucket("seed", text, 1) for text in ("é", "日本", "😀")] == [0.137, 0.545, 0.429]
    assert [bucket("seed", text, 2) for text in ("é", "日本", "😀")] == [0.8663, 0.9652, 0.4346]


def test_three_arms_move_only_into_the_arm_that_grows() -> None:
    even = [[(0.0, 0.4)], [(0.4, 0.7)], [(0.7, 1.0)]]
    assert reweight(even, [0.5, 0.2, 0.3]) == (((0.0, 0.4), (0.6, 0.7)), ((0.4, 0.6),), ((0.7, 1.0),))


def test_a_new_arm_takes_from_those_that_shrink() -> None:
    assert reweight([[(0.0, 0.5)], [(0.5, 1.0)]], [0.4, 0.4, 0.2]) == (
        ((0.0, 0.4),),
        ((0.5, 0.9),),
        ((0.4, 0.5), (0.9, 1.0)),
    )


def test_more_coverage_moves_nobody_between_arms() -> None:
    narrow = [(pair,) for pair in bucket_ranges(2, coverage=0.5)]
    assert reweight(narrow, [0.5, 0.5]) == (((0.0, 0.5),), ((0.5, 1.0),))


def test_ranges_that_overlap_cannot_be_reweighted() -> None:
    with pytest.raises(ValueError, match=r"^ranges must not overlap, and must lie between 0 and 1$"):
        reweight([[(0.0, 0.6)], [(0.5, 1.0)]], [0.5, 0.5])


@pytest.mark.parametrize("weights", [[0.5], [1.5, -0.5], [0.6, 0.6]])
def test_weights_that_do_not_fit_the_line_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^weights must be one per arm, not negative, and sum to at most 1$"):
        reweight([[(0.0, 0.5)], [(0.5, 1.0)]], weights)


@st.composite
def allocations(draw: st.DrawFn) -> tuple[list[list[Range]], list[int]]:
    """Present ranges of up to four arms, several per arm and with gaps, and new weights in hundredths."""
    cuts = sorted(draw(st.sets(st.integers(0, 100), min_size=2, max_size=9)))
    arms: list[list[Range]] = [[] for _ in range(draw(st.integers(1, 4)))]
    for start, end in pairwise(cuts):
        arm = draw(st.integers(-1, len(arms) - 1))
        if arm >= 0:
            arms[arm].append((start / 100, end / 100))
    steps = sorted(draw(st.lists(st.integers(0, 100), min_size=len(arms), max_size=len(arms) + 2)))
    return arms, [step - before for before, step in pairwise([0, *steps])]


@given(allocations())
def test_reweighting_moves_exactly_the_sum_of_the_increases(case: tuple[list[list[Range]], list[int]]) -> None:
    arms, weights = case
    result = reweight(arms, [weight / 100 for weight in weights])
    before = [choose(n / 100, arms) for n in range(100)]
    after = [choose(n / 100, result) for n in range(100)]
    everyone = range(-1, len(weights))
    assert [after.count(arm) for arm in range(len(weights))] == weights
    moved = sum(old != new for old, new in zip(before, after, strict=True))
    assert moved == sum(max(0, after.count(arm) - before.count(arm)) for arm in everyone)
