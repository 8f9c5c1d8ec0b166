"""What deciding and showing read, whoever asks."""

import pytest

from tessera.rules.demands import fact_reads, outcome_reads, slot_reads
from tests.rules.building import PAGE, page, rule, ruleset

SPLIT = "{experiment: copy, arms: {control: nothing, urgency: nothing}}"


@pytest.mark.parametrize(
    ("rules", "reads"),
    [
        ([rule()], set()),
        ([rule("visitor.tier == 'gold' or cart.count > 3")], {"visitor.tier", "cart.count"}),
        ([rule("visitor.known", "a"), rule("visitor.sessions > visitor.visits", "b")],
         {"visitor.known", "visitor.sessions", "visitor.visits"}),
        ([rule("cart.value between 5 and visitor.lifetime_value")], {"cart.value", "visitor.lifetime_value"}),
        ([rule("segment.loyal")], {"visitor.tier", "visitor.bought_at"}),
        ([rule("segment.vip is unknown")], {"segment.vip"}),
        ([rule("visitor.regular == segment.members")], {"visitor.sessions", "visitor.bought_at", "visitor.tier"}),
        ([rule("spends_over(visitor.lifetime_value)")], {"cart.value", "visitor.lifetime_value"}),
        ([rule(during='{hours: "09:00-17:00", zone: Europe/Berlin}')], set()),
        ([rule(during='{hours: "09:00-17:00", zone: visitor}')], {"geo.timezone"}),
        ([rule("visitor.known", on_unknown="match")], {"visitor.known", "consent.personalization"}),
        ([rule("visitor.known", on_unknown="stale 5m")], {"visitor.known", "consent.personalization"}),
        ([rule(split=SPLIT)], {"visitor.id"}),
    ],
)  # fmt: skip
def test_deciding_reads(rules: list[str], reads: set[str]) -> None:
    assert slot_reads(ruleset(page(*rules)), "home", "hero") == reads


@pytest.mark.parametrize(
    ("shown", "reads"),
    [
        ("nothing", set()),
        ("{cta: discover}", set()),
        ("{cta: {use: shop, category: tents}}", {"param.campaign", "locale"}),
        ("{items: bestsellers}", set()),
        ("{items: for-you}", {"visitor.id"}),
        ("{items: goes-with}", {"param.sku"}),
        ("{item: param.sku}", {"param.sku"}),
    ],
)
def test_showing_reads(shown: str, reads: set[str]) -> None:
    text = PAGE + f"  rail:\n    default: {{template: x.liquid}}\n    rules: [{{name: only, show: {shown}}}]\n"
    rules = ruleset({"home.yaml": text})
    outcome = rules.slot("home", "rail").rules[0].outcomes[0]
    assert outcome_reads(rules, "home", outcome) == reads


def test_a_computed_fact_comes_to_what_it_is_computed_from() -> None:
    rules = ruleset()
    assert fact_reads(rules, "visitor.regular") == {"visitor.sessions", "visitor.bought_at"}
    assert fact_reads(rules, "segment.loyal") == {"visitor.tier", "visitor.bought_at"}
    assert fact_reads(rules, "segment.vip") == {"segment.vip"}
    assert fact_reads(rules, "visitor.tier") == {"visitor.tier"}
