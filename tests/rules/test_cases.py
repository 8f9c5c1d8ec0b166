"""Running the tests of page files."""

from tessera.rules.cases import CaseResult, Difference, run_cases
from tests.rules.building import ruleset

PAGE = """\
page: home
params: {{campaign: {{type: enumeration, one_of: [none, winter], default: none}}}}
layouts:
  - {{use: winter, when: param.campaign == "winter"}}
  - use: plain
slots:
  hero:
    default: {{template: home/hero.liquid, cta: discover}}
    rules:
      - name: Members
        when: segment.members and cart.value > 50
        during: {{hours: "09:00-17:00", zone: Europe/Berlin}}
        show: {{template: home/early.liquid}}
      - name: Copy
        when: visitor.known
        split: {{experiment: copy, arms: {{control: {{cta: discover}}, urgency: nothing}}}}
tests:
  - {test}
"""
GIVEN = 'given: {visitor: {tier: gold}, cart: {value: 80}, at: "2026-11-24T10:00+01:00"}'


def run(test: str) -> CaseResult:
    (result,) = run_cases(ruleset({"home.yaml": PAGE.format(test=test)}))
    return result


def test_what_comes_out_as_expected_passes() -> None:
    result = run(f"{{name: one, {GIVEN}, expect: {{slot: hero, rule: Members, template: home/early.liquid}}}}")
    assert (result.passed, result.differences, result.page, result.case.name) == (True, (), "home", "one")


def test_what_comes_out_otherwise_is_told() -> None:
    result = run(
        f"{{name: one, {GIVEN}, expect: {{slot: hero, rule: Copy, cta: discover, items: none, arm: control}}}}"
    )
    assert not result.passed
    assert result.differences == (Difference("rule", "Copy", "Members"), Difference("arm", "control", "none"))


def test_no_rule_is_expected_as_default() -> None:
    assert run("{name: one, given: {visitor: {known: false, tier: none}}, expect: {slot: hero, rule: default}}").passed


def test_a_bucket_can_be_given_in_the_place_of_a_visitor() -> None:
    given = "given: {visitor: {known: true, tier: none}}"
    assert run(f"{{name: one, {given}, at_bucket: 10, expect: {{slot: hero, arm: control}}}}").passed
    assert run(f"{{name: one, {given}, at_bucket: 50, expect: {{slot: hero, arm: urgency, template: nothing}}}}").passed


def test_layouts_are_tested_by_what_they_use() -> None:
    given = "given: {param: {campaign: winter}}"
    assert run(f"{{name: one, {given}, expect: {{slot: layout, use: winter}}}}").passed
    assert run("{name: one, expect: {slot: layout, use: plain}}").passed


def test_a_test_that_depends_on_the_moment_must_give_one() -> None:
    result = run("{name: one, given: {visitor: {tier: gold}, cart: {value: 80}}, expect: {slot: hero, rule: default}}")
    assert [each.key for each in result.differences] == ["at"]
