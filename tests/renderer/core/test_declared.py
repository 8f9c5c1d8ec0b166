"""Items as templates see them: made once for all lists that tell of them alike, and never mixed up."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.core.declared import Declared
from tessera.rules.ruleset import Ruleset
from tests.support.sites import FACTS, GOLD_PAGE, GOLD_TEMPLATES, load, write_site

MORE = """\
      stock: {type: integer}
      on_sale: {type: boolean}
      since: {type: timestamp}
"""


@pytest.fixture(scope="module")
def ruleset(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    facts = {"facts.yaml": FACTS + MORE}
    return load(write_site(tmp_path_factory.mktemp("site"), {**GOLD_PAGE, **facts}, GOLD_TEMPLATES)).ruleset


texts = st.sampled_from(["a", "1", "true", "", "ä", "\ud800"])
plain = texts | st.sampled_from([0, 1, True, False, None, 1.0, -0.0, 0.0, 10**30, Decimal("1.0"), Decimal(1)])
money = st.builds(lambda amount, currency: {"amount": amount, "currency": currency}, plain, st.just("EUR") | texts)
values = plain | money | st.lists(plain, max_size=2) | st.just(datetime(2026, 1, 1, tzinfo=UTC))
fields = st.dictionaries(st.sampled_from(["sku", "title", "price", "stock", "on_sale", "since", "other"]), values)


@given(told=st.lists(fields, max_size=20))
def test_an_item_is_what_it_is_alone_whatever_was_told_before(ruleset: Ruleset, told: list[dict[str, object]]) -> None:
    ours = Declared(ruleset)
    for each in told * 2:
        assert repr(ours.item(each)) == repr(Declared(ruleset).item(each))


def test_an_item_that_is_told_again_is_the_same_object(ruleset: Ruleset) -> None:
    declared = Declared(ruleset)
    first = declared.item({"sku": "a", "title": "Tent", "score": 0.5})
    assert declared.item({"sku": "a", "title": "Tent", "score": 0.7}) is first
    long = {"sku": "a", "title": "Tent" * 2000}
    assert declared.item(long) is not declared.item(long)
