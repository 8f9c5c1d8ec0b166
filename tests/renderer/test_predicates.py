"""Where a template only asks something of a value, the answer is in the key, and the value reaches nobody."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.core.inputs import Fields, Gathered, InputsPlan, Items
from tessera.renderer.engines.base import RenderError, Template
from tessera.rules.facts import Fact, Value
from tessera.rules.source import Span
from tests.renderer.engines.loading import template

NOWHERE = Span("facts.yaml", 1, 1, 1)
FACTS = {
    "visitor.tier": Fact("visitor.tier", "string", "profile", "private", NOWHERE),
    "visitor.points": Fact("visitor.points", "integer", "profile", "private", NOWHERE),
    "visitor.score": Fact("visitor.score", "decimal", "profile", "private", NOWHERE),
    "visitor.known": Fact("visitor.known", "boolean", "request", "context", NOWHERE),
    "visitor.since": Fact("visitor.since", "timestamp", "profile", "private", NOWHERE),
    "visitor.away": Fact("visitor.away", "duration", "profile", "private", NOWHERE),
    "cart.value": Fact("cart.value", "money", "cart", "private", NOWHERE, unit="EUR"),
    "cart.skus": Fact("cart.skus", "set", "cart", "private", NOWHERE),
}
VALUES: Mapping[str, Sequence[Value | None]] = {
    "visitor.tier": [None, "", " ", "gold", "silver", "x", "other", "gold ", "<b>", "5"],
    "visitor.points": [None, 0, 1, -1, 4, 5, 6, 7, 10**6],
    "visitor.score": [None, Decimal("0.0"), Decimal("4.99"), Decimal(5), Decimal("5.00"), Decimal("1e9")],
    "visitor.known": [True, False],
    "visitor.since": [None, datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)],
    "visitor.away": [None, timedelta(0), timedelta(seconds=5), timedelta(days=9)],
    "cart.value": [None, 0, 4, 5, 6, 9900],
    "cart.skus": [None, frozenset(), frozenset("a"), frozenset("ab"), frozenset("c"), frozenset({"gold"})],
}
ITEM_FIELDS = ("badge", "title")


def plan_of(shown: Template) -> InputsPlan:
    return InputsPlan(shown.version, shown.demands, FACTS, ITEM_FIELDS, shown.tests)


def keys(shown: Template, fact: str, values: Sequence[Value | None]) -> int:
    plan = plan_of(shown)
    return len({plan.key(Gathered({} if value is None else {fact: value})) for value in values})


CLASSES = [
    ("liquid", "{% if visitor.tier == 'gold' %}G{% endif %}", "visitor.tier", ["gold", "silver", "x", "other"], 2),
    ("jinja", "{% if visitor.tier == 'gold' %}G{% endif %}", "visitor.tier", ["gold", "silver", "x", "other"], 2),
    ("liquid", "{% case visitor.tier %}{% when 'gold', 'x' %}G{% when 'silver' %}S{% endcase %}", "visitor.tier",
     ["gold", "silver", "x", "a", "b", None], 5),
    ("jinja", "{% if visitor.tier in ['gold', 'x'] %}G{% endif %}", "visitor.tier", ["gold", "x", "a", "b"], 2),
    ("liquid", "{% if visitor.tier %}T{% endif %}", "visitor.tier", ["gold", "silver", "", None], 3),
    ("jinja", "{{ 'T' if visitor.tier else 'N' }}", "visitor.tier", ["gold", "silver", "", None], 3),
    ("liquid", "{% if visitor.points >= 5 %}{% if visitor.points < 7 %}P{% endif %}{% endif %}", "visitor.points",
     range(-50, 50), 3),
    ("jinja", "{{ 5 <= visitor.points < 7 }}", "visitor.points", range(-50, 50), 3),
    ("jinja", "{{ visitor.score > 4.5 }}", "visitor.score", [Decimal(n) / 7 for n in range(1, 80)], 2),
    ("liquid", "{% if cart.value.amount > 5000 %}free{% endif %}", "cart.value", range(1, 9999, 7), 2),
    ("liquid", "{% if cart.skus contains 'a' %}A{% endif %}", "cart.skus",
     [frozenset("a"), frozenset("ab"), frozenset("bc"), frozenset("d")], 2),
    ("jinja", "{% if 'a' in cart.skus %}A{% endif %}", "cart.skus",
     [frozenset("a"), frozenset("ab"), frozenset("bc"), frozenset("d")], 2),
    ("liquid", "{% assign gold = visitor.tier %}{% if gold == 'gold' %}G{% endif %}", "visitor.tier",
     ["gold", "silver", "x"], 2),
    ("jinja", "{% set gold = visitor.tier == 'gold' %}{% if gold %}G{% endif %}", "visitor.tier",
     ["gold", "silver", "x"], 2),
    # Where the value itself could show, each has its own.
    ("liquid", "{% if visitor.tier == 'gold' %}{{ visitor.tier }}{% endif %}", "visitor.tier", ["gold", "b", "c"], 3),
    ("jinja", "{{ visitor.tier or 'none' }}", "visitor.tier", ["gold", "silver", "x"], 3),
    ("liquid", "{% assign t = visitor.tier | upcase %}{% if t == 'X' %}{% endif %}", "visitor.tier", ["a", "b"], 2),
    ("jinja", "{% if visitor.tier == visitor.away %}{% endif %}", "visitor.tier", ["a", "b", "c"], 3),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "fact", "values", "count"), CLASSES)
def test_there_are_as_many_keys_as_answers(
    language: str, text: str, fact: str, values: Sequence[Value | None], count: int
) -> None:
    assert keys(template(text, language), fact, values) == count


CONSTANTS = ("'gold'", "'x'", "5", "7", "5.0", "true")
QUESTIONS = {
    "liquid": "{p}; {p} == {c}; {p} != {c}; {p} < {c}; {c} >= {p}; {p} contains {c}; {p} == blank; {p} == nil",
    "jinja": "{p}; {p} == {c}; {c} != {p}; {p} < {c}; 1 < {p} <= {c}; {p} in [{c}, 4]; {c} in {p}; {p} is none",
}
SHAPES = ("{{% if {q} %}}A{{% endif %}}", "{{% if {q} and {r} %}}A{{% else %}}{{{{ {p} }}}}{{% endif %}}")


@st.composite
def asking_templates(draw: st.DrawFn) -> Template:
    """A template that asks of facts, and sometimes prints one."""
    language = draw(st.sampled_from(("liquid", "jinja")))
    names = [*FACTS, "cart.value.amount"]

    def question() -> str:
        form = draw(st.sampled_from(QUESTIONS[language].split("; ")))
        return form.format(p=draw(st.sampled_from(names)), c=draw(st.sampled_from(CONSTANTS)))

    pieces = []
    for _ in range(draw(st.integers(1, 4))):
        shape = draw(st.sampled_from((SHAPES[0], SHAPES[0], SHAPES[0], SHAPES[1])))
        pieces.append(shape.format(q=question(), r=question(), p=draw(st.sampled_from(names))))
    return template("|".join(pieces), language)


people = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()})


def written(shown: Template, inputs: Mapping[str, object]) -> str | None:
    try:
        return shown.render(inputs)
    except RenderError:
        return None


@given(asking_templates(), st.lists(people, min_size=2, max_size=6))
def test_a_stand_in_writes_what_the_value_would_and_one_key_has_one_fragment(
    shown: Template, visitors: list[dict[str, Value | None]]
) -> None:
    plan = plan_of(shown)
    whole = InputsPlan(shown.version, shown.demands, FACTS, ITEM_FIELDS)
    by_key: dict[bytes, object] = {}
    for facts in visitors:
        known: dict[str, Value] = {name: value for name, value in facts.items() if value is not None}
        gathered = Gathered(known)
        fragment = written(shown, plan.inputs(gathered))
        assert fragment == written(shown, whole.inputs(gathered))
        inputs = plan.inputs(gathered)
        assert by_key.setdefault(plan.key(gathered), inputs) == inputs


@pytest.mark.parametrize("language", ["liquid", "jinja"])
def test_the_value_that_is_only_asked_about_is_not_handed_to_the_template(language: str) -> None:
    plan = plan_of(template("{% if visitor.tier == 'gold' %}G{% endif %}", language))
    assert plan.inputs(Gathered({"visitor.tier": "a secret"})) == {"visitor": {"tier": "other"}}


@pytest.mark.parametrize("language", ["liquid", "jinja"])
def test_fields_of_items_that_are_only_asked_about_are_stood_for_too(language: str) -> None:
    text = "{% for item in items %}{% if item.badge == 'new' %}new {% endif %}{{ item.title }},{% endfor %}"
    shown = template(text, language)
    plan = plan_of(shown)

    def gathered(*badges: str | None) -> Gathered:
        return Gathered({}, items=Items([{"badge": badge, "title": "T"} for badge in badges]))

    assert plan.items == Fields(("badge", "title"), plan.items.tested if plan.items else ())
    assert plan.key(gathered("sale", "new")) == plan.key(gathered("last-few", "new"))
    assert plan.key(gathered("new", "sale")) != plan.key(gathered("sale", "new"))
    assert shown.render(plan.inputs(gathered("sale", "new"))) == "T,new T,"
