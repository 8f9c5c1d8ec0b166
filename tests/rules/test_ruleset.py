"""What the declarations of rule files become."""

from datetime import UTC, datetime, timedelta

import pytest

from tessera.rules.facts import CONSENT, LOCALE, TIMEZONE, VISITOR_ID
from tessera.rules.ruleset import CtaUse, OnUnknown, Placeholder, Wording
from tests.rules import building
from tests.rules.building import page, rule, ruleset


def test_what_an_outcome_does_not_say_it_has_from_the_default() -> None:
    text = """\
page: home
params: {sku: string}
slots:
  hero:
    default: {template: a.liquid, cta: discover, items: bestsellers, item: param.sku}
    max_age: 90s
    rules:
      - {name: one, show: {template: b.liquid, items: for-you}}
      - {name: two, show: nothing}
      - name: three
        split: {experiment: copy, arms: {urgency: {cta: {use: shop, category: tents}}, control: nothing}}
  rail: {default: nothing}
"""
    hero = ruleset({"home.yaml": text.replace("{sku: string}", "{sku: string, campaign: string}")}).slot("home", "hero")
    one, two, control, urgency, default = hero.outcomes
    assert (one.template, one.cta, one.items, one.item) == ("b.liquid", CtaUse("discover"), "for-you", "param.sku")
    assert (two.template, two.cta, two.items, two.item) == (None, None, None, None)
    assert control.template is None
    assert (urgency.template, urgency.cta) == ("a.liquid", CtaUse("shop", (("category", "tents"),)))
    assert default.items == "bestsellers"
    assert hero.max_age_s == 90.0


def test_layouts_form_a_slot_whose_default_is_the_last() -> None:
    text = """\
page: home
layouts:
  - {use: welcome, when: visitor.known == false, items: bestsellers}
  - name: try
    when: segment.vip
    split: {experiment: copy, arms: {control: {use: calm}, urgency: {use: loud}}}
  - use: calm
slots: {hero: {default: nothing}}
"""
    layout = ruleset({"home.yaml": text}).slot("home", "layout")
    assert [each.name for each in layout.rules] == ["welcome", "try"]
    assert [each.template for each in layout.outcomes] == [
        "home/layouts/welcome",
        "home/layouts/calm",
        "home/layouts/loud",
        "home/layouts/calm",
    ]


def test_a_link_is_cut_at_its_placeholders() -> None:
    link = ruleset().ctas["shop"].link
    assert link.names == ("category", "param.campaign")
    assert link.parts == (
        "/pages/category?category=",
        Placeholder("category"),
        "&from=",
        Placeholder("param.campaign"),
    )


@pytest.mark.parametrize(
    ("locale", "text"), [("de", "Kaufen"), ("de-AT", "Kaufen"), ("en", "Shop"), ("fr", "Shop"), (None, "Shop")]
)
def test_a_wording_falls_back_to_the_language_and_to_the_first_text(locale: str | None, text: str) -> None:
    assert ruleset().ctas["shop"].text.in_locale(locale) == text


def test_a_plain_wording_is_the_same_everywhere() -> None:
    assert Wording("Shop").in_locale("de") == "Shop"


def test_an_experiment_has_growthbook_ranges_and_sensible_defaults() -> None:
    copy = ruleset().experiments["copy"]
    assert (copy.unit, copy.seed, copy.version, copy.hash_version, copy.status) == (
        VISITOR_ID,
        "copy",
        1,
        2,
        "running",
    )
    assert (copy.arms, copy.ranges) == (("control", "urgency"), (((0.0, 0.5),), ((0.5, 1.0),)))


def test_an_experiment_may_cover_a_part_and_exclude_others() -> None:
    text = """\
experiments:
  copy:
    arms: {control: 80, urgency: 20}
    unit: visitor.city
    seed: other
    version: 0
    hash_version: 1
    status: paused
    coverage: 50%
    from: 2026-11-01
    until: 2026-12-01T00:00+01:00
    group: {name: hero, from: 0, until: 25}
    about: everything said
"""
    copy = ruleset({"experiments.yaml": text, "home.yaml": building.PAGE}).experiments["copy"]
    assert copy.ranges == (((0.0, 0.4),), ((0.8, 0.9),))
    assert copy.version == 0
    assert copy.starts == datetime(2026, 11, 1, tzinfo=UTC)
    assert copy.ends == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert copy.namespace == ("hero", 0.0, 0.25)


def test_lists_are_as_private_as_what_they_depend_on() -> None:
    text = """\
lists:
  bestsellers: {kind: popular, count: 8}
  for-you: {kind: personal, count: 8}
  goes-with: {kind: related, to: visitor.city, count: 4}
  near: {kind: category, category: geo.country, count: 4}
  open: {kind: category, category: geo.country, count: 4, share: public}
  cart: {kind: lookup, to: param.sku, count: 4}
"""
    lists = ruleset({"lists.yaml": text, "home.yaml": building.PAGE}).lists
    assert {name: each.share for name, each in lists.items()} == {
        "bestsellers": "public",
        "for-you": "private",
        "goes-with": "private",
        "near": "context",
        "open": "public",
        "cart": "public",
    }


def test_facts_are_shared_by_default_as_their_type_and_source_suggest() -> None:
    facts = ruleset().facts
    assert facts["visitor.city"].share == "private"
    assert facts["visitor.tags"].share == "private"
    assert facts["visitor.favourites"].share == "context"
    assert facts["visitor.sessions"].share == "context"
    assert facts["geo.country"].share == "context"
    assert {param.share for param in ruleset().pages["home"].params.values()} == {"public"}


def test_a_profile_fact_is_the_trait_of_its_last_part_unless_it_says_otherwise() -> None:
    text = building.FACTS + "  visitor.name: {type: string, source: profile, trait: first_name}\n"
    facts = ruleset({"facts.yaml": text, "home.yaml": building.PAGE}).facts
    assert (facts["visitor.city"].trait, facts["visitor.name"].trait, facts["cart.value"].trait) == (
        "city",
        "first_name",
        None,
    )


def test_what_the_language_relies_on_is_there_undeclared() -> None:
    facts = ruleset().facts
    assert facts[CONSENT].one_of == ("granted", "denied", "unknown")
    assert {facts[name].source for name in (CONSENT, LOCALE, TIMEZONE, VISITOR_ID)} == {"request"}


def test_names_mean_parameters_segments_and_facts() -> None:
    rules = ruleset()
    found = {name: rules.fact("home", name) for name in ("param.sku", "segment.vip", "visitor.tier", "param.nothing")}
    assert {name: fact and fact.source for name, fact in found.items()} == {
        "param.sku": "parameter",
        "segment.vip": "profile",
        "visitor.tier": "profile",
        "param.nothing": None,
    }
    assert rules.segment_names() == ("segment.vip", "segment.members", "segment.lapsed", "segment.loyal")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("skip", OnUnknown()),
        ("match", OnUnknown("match")),
        ("stale 15m", OnUnknown("stale", timedelta(minutes=15))),
        ("stale 2 hours", OnUnknown("stale", timedelta(hours=2))),
    ],
)
def test_on_unknown(written: str, meant: OnUnknown) -> None:
    slot = ruleset(page(rule("visitor.known", on_unknown=written))).slot("home", "hero")
    assert slot.rules[0].on_unknown == meant


def test_there_is_no_slot_that_is_not_declared() -> None:
    for missing in (("home", "rail"), ("home", "layout"), ("away", "hero")):
        with pytest.raises(KeyError):
            ruleset().slot(*missing)
