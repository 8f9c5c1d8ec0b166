"""The account of a decision, as text and as JSON."""

from datetime import UTC, datetime

from tessera.rules.evaluate import Trace, explain_slot
from tessera.rules.facts import Value
from tessera.rules.trace import to_json, to_text
from tests.rules.building import NOW, page, rule, ruleset

FACTS: dict[str, Value] = {
    "visitor.tier": "gold",
    "visitor.bought_at": datetime(2026, 11, 1, tzinfo=UTC),
    "visitor.id": "dan",
    "geo.country": "DE",
    "cart.value": 6000,
}


def trace() -> Trace:
    split = "{experiment: copy, arms: {control: {cta: discover}, urgency: nothing}}"
    rules = ruleset(
        page(
            rule('not segment.loyal and geo.country == "DE"', "neighbours"),
            rule("spends_over(50.00)", "spenders", split=split),
            rule("cart.count > 0", "others"),
        )
    )
    return explain_slot(rules, "home", "hero", FACTS, NOW)


def test_as_text() -> None:
    assert (
        to_text(trace())
        == """\
home/hero at 2026-11-24T09:00:00Z
  unmatched: neighbours
    the condition is false, until 2027-05-01T00:00:00Z
    false   not segment.loyal and geo.country == "DE"
      false   not segment.loyal
        true    segment.loyal  (segment.loyal is true)
          true    segment.members and not segment.lapsed
            true    segment.members  (segment.members is true)
              true    visitor.tier in ["gold", "platinum"]  (visitor.tier is "gold")
            true    not segment.lapsed
              false   segment.lapsed  (segment.lapsed is false)
                false   visitor.bought_at older than 6 months  (visitor.bought_at is 2026-11-01T00:00:00Z)
      true    geo.country == "DE"  (geo.country is "DE")
  matched: spenders
    everything it asks for is true
    true    spends_over(50.00)
      true    cart.value > 50.00  (cart.value is 60.00)
    bucket 0.8628, by visitor.id
  unknown, not reached: others
    the condition is unknown, and on_unknown is skip
    unknown cart.count > 0  (cart.count is unknown)
  SPLIT: spenders, until 2027-05-01T00:00:00Z
    arm urgency of copy
    shows nothing
"""
    )


def test_as_json() -> None:
    told = to_json(trace())
    assert told["decision"] == {
        "reason": "SPLIT",
        "rule": "spenders",
        "experiment": "copy",
        "arm": "urgency",
        "version": 1,
        "template": None,
        "cta": None,
        "items": None,
        "item": None,
        "until": "2027-05-01T00:00:00Z",
        "failed": [],
    }
    rules = told["rules"]
    assert isinstance(rules, list)
    assert rules[1] == {
        "name": "spenders",
        "verdict": "matched",
        "why": "everything it asks for is true",
        "until": None,
        "window": None,
        "bucket": 0.8628,
        "unit": "visitor.id",
        "holdout": None,
        "kept": False,
        "condition": {
            "text": "spends_over(50.00)",
            "value": True,
            "until": None,
            "reads": {},
            "parts": [
                {
                    "text": "cart.value > 50.00",
                    "value": True,
                    "until": None,
                    "reads": {"cart.value": "60.00"},
                    "parts": [],
                }
            ],
        },
    }
