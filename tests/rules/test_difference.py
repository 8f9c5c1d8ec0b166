"""What two versions show in the same situations, and the situations that are made up to find out."""

import json

import pytest
from hypothesis import given, settings

from tessera.rules.difference import compare, slots_of, to_json, to_text, untouched
from tessera.rules.evaluate import explain_slot
from tessera.rules.facts import Value, coerce
from tessera.rules.probing import probes
from tessera.rules.ruleset import Ruleset
from tessera.rules.situations import Situation, explain_in, json_form, read_situation
from tests.rules import building, worlds
from tests.rules.building import NOW, ruleset

PAGE = """\
page: home
params: {campaign: {type: enumeration, one_of: [none, winter], default: none}}
slots:
  hero:
    default: {template: home/hero.liquid, cta: discover}
    rules:
      - {name: Winter, when: param.campaign == "winter", show: {template: winter.liquid}}
      - {name: Spenders, when: cart.value > 50.00 and visitor.tier == "gold", show: {template: rich.liquid}}
      - name: Lapsed in December
        when: segment.lapsed
        during: {from: 2026-12-01}
        show: {template: back.liquid}
      - {name: Tents, when: 'visitor.favourites has any of ["tents", "packs"]', show: {template: tents.liquid}}
      - {name: New app, when: app.version >= 2.10.0, show: {template: app.liquid}}
      - {name: Copy, split: {experiment: copy, arms: {control: {cta: discover}, urgency: nothing}}}
"""


def page(text: str) -> Ruleset:
    return ruleset({"home.yaml": text})


BASE = page(PAGE)


def made_up(*versions: Ruleset) -> list[Situation]:
    return list(probes(versions, "home", "hero", NOW, 200))


def test_every_rule_and_arm_gets_its_turn() -> None:
    version = page(PAGE)
    decisions = [explain_in(version, situation).decision for situation in made_up(version)]
    assert {each.rule for each in decisions} >= {rule.name for rule in version.slot("home", "hero").rules}
    assert {each.assignment.arm for each in decisions if each.assignment} == {"control", "urgency"}


def test_the_same_rules_make_up_the_same_situations() -> None:
    assert made_up(page(PAGE)) == made_up(page(PAGE))


def test_a_border_that_moved_by_a_cent_is_found_and_told() -> None:
    old, new = page(PAGE), page(PAGE.replace("50.00", "50.01"))
    (found,) = compare(old, new, made_up(old, new))
    assert 0 < found.changed < found.tried
    (example, *_) = found.examples
    assert example.rules[0] == "Spenders"
    assert example.situation.facts["cart.value"] == {"amount": 5001, "currency": "EUR"}
    text = to_text([found], old, new)
    assert text.startswith(f"home/hero: {100 * found.changed / found.tried:.1f} percent would see something else")
    assert text.endswith("0 of 1 slots are as before\n")
    told = to_json([found], old, new)
    assert json.loads(json.dumps(told))["slots"][0]["examples"][0]["old"]["rule"] == "Spenders"


def test_a_slot_that_one_version_lacks_is_told() -> None:
    old, new = page(PAGE), page(PAGE + "  help: {default: nothing}\n")
    assert "home/help: only in one version, the new\n" in to_text(compare(old, new, made_up(old, new)), old, new)
    assert to_json([], new, old)["only_old"] == ["home/help"]


def test_a_call_to_action_with_another_text_is_a_change() -> None:
    other = building.CTAS.replace("Discover", "Look")
    assert other != building.CTAS
    old, new = page(PAGE), ruleset({"home.yaml": PAGE, "ctas.yaml": other})
    (found,) = compare(old, new, made_up(old, new))
    assert found.changed


@settings(max_examples=30)
@given(worlds.rulesets())
def test_nothing_differs_from_itself(version: Ruleset) -> None:
    situations = list(probes((version,), "home", "hero", NOW, 20))
    assert len(situations) >= 20
    assert [each.changed for each in compare(version, version, situations)] == [0]
    assert slots_of(version) == [("home", "hero")]


@given(worlds.visitors(NOW))
def test_a_situation_is_read_back_as_it_was(facts: dict[str, Value]) -> None:
    version = BASE
    known = {name: (fact, value) for name, value in facts.items() if (fact := version.fact("home", name))}
    told = {name: json_form(fact, value) for name, (fact, value) in known.items()}
    assert {name: coerce(fact, told[name]) for name, (fact, _) in known.items()} == {
        name: value for name, (_, value) in known.items()
    }
    situation = Situation("home", "hero", NOW, told, {"copy": 0.75})
    assert read_situation(json.dumps(situation.to_json())) == situation
    usual = explain_slot(version, "home", "hero", {n: v for n, (_, v) in known.items()}, NOW, at_bucket=0.75)
    assert explain_in(version, situation) == usual


def test_who_takes_no_part_has_no_arm() -> None:
    situation = Situation("home", "hero", NOW, {"visitor.id": "ada"}, {"copy": -1})
    assert explain_in(page(PAGE), situation).decision.rule is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "this is no JSON"),
        ("[]", "a situation is an object with `page`, `slot`, `at` and `facts`"),
        ('{"page": "home", "slot": "hero", "at": "soon", "facts": {}}', "`soon` is not a moment"),
        ('{"page": "a", "slot": "b", "at": "2026-11-24T00:00Z", "facts": {}, "buckets": {"a": "b"}}', "`buckets` has"),
    ],
)
def test_a_line_that_says_no_situation_is_refused(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_situation(line)


def test_slots_of_which_both_say_the_same_need_not_be_tried() -> None:
    other = "  aside: {default: {template: aside.liquid}}\n"
    old = page(PAGE + other)
    edited = page(PAGE.replace("50.00", "50.01") + other)
    assert [each.slot for each in untouched(old, page(PAGE + other))] == ["hero", "aside"]
    assert [each.slot for each in untouched(old, edited)] == ["aside"]
    shared = {"home.yaml": PAGE + other, "lists.yaml": "lists:\n  other: {kind: popular, count: 1}\n"}
    assert untouched(old, ruleset({**shared})) == []
