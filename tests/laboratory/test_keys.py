"""Only derived keys have both: much is found under them, and nothing wrong."""

import asyncio

from support.calling import count
from support.keyings import Shoppers, compare


def test_derived_keys_are_never_wrong_and_find_more_than_either_other_kind() -> None:
    kept = asyncio.run(compare(Shoppers(300), 1_200))
    assert kept.derived.wrong == kept.per_visitor.wrong == 0
    assert kept.per_segment.wrong > 0
    assert kept.derived.hit_ratio > max(kept.per_segment.hit_ratio, kept.per_visitor.hit_ratio)


def test_remembering_inputs_asks_upstream_less_than_caching_pages_by_visitor() -> None:
    calls = asyncio.run(count(Shoppers(300), 300, 50.0))
    assert 0 < calls.ours < calls.per_visitor < calls.uncached
