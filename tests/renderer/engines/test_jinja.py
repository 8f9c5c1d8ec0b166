from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tessera.renderer.engines.base import RenderError
from tests.renderer.engines.loading import jinja, template


def test_values_print_as_text_and_nothing_prints_nothing() -> None:
    values = {"yes": True, "n": 3, "d": Decimal("1.50"), "none": None, "tags": ["a"]}
    assert (
        jinja("{{ a.yes }}|{{ a.n }}|{{ a.d }}|{{ a.none }}{{ none }}|{{ a.tags | join }}", a=values)
        == "True|3|1.50||a"
    )
    assert jinja("{{ 'a' ~ none ~ 1 ~ b.c }}") == "a1"


def test_what_is_missing_is_empty() -> None:
    text = (
        "[{{ a.b }}][{{ a.b.c }}][{{ a[0].b }}][{% if a.b %}x{% endif %}][{% for x in a.b.c %}{% else %}-{% endfor %}]"
    )
    assert jinja(text) == jinja(text, a=None) == jinja(text, a={"c": 1}) == "[][][][][-]"


def test_members_come_before_methods_and_nothing_else_is_reachable() -> None:
    text = "{{ a.items }}|{{ a['keys'] }}|{{ a.update }}|{{ b.append }}|{{ c.format }}|{{ d.year }}"
    assert jinja(text, a={"items": 1, "keys": 2}, b=[1], c="x", d=datetime(2026, 3, 1, tzinfo=UTC)) == "1|2||||"


def test_the_allowed_methods_work() -> None:
    assert jinja("{% for k, v in a.items() %}{{ k }}={{ v }};{% endfor %}", a={"p": 1, "q": 2}) == "p=1;q=2;"
    assert jinja("{{ a.get('x', 7) }}{{ b.upper().split('-')[1] }}{{ b.startswith('a') }}", a={}, b="a-b") == "7BTrue"


def test_lists_come_out_of_what_jinja_does_lazily() -> None:
    text = "{{ a | map('upper') }} {{ a | select('eq', 'x') }} {{ a | reverse }} {{ a | unique }} {{ a | batch(1) }}"
    assert jinja(text, a=["x", "y"]).replace("&#39;", "'") == "['X', 'Y'] ['x'] ['y', 'x'] ['x', 'y'] [['x'], ['y']]"


def test_modules_keep_nothing_from_one_render_to_the_next() -> None:
    counter = (
        "{% set ns = namespace(seen='') %}{% macro see(n) %}{% set ns.seen = ns.seen ~ n %}{{ ns.seen }}{% endmacro %}"
    )
    page = template("{% import 'counter' as c %}{{ c.see(visitor.name) }}", "jinja", counter=counter)
    assert page.render({"visitor": {"name": "Ann"}}) == "Ann"
    assert page.render({"visitor": {"name": "Bob"}}) == "Bob"


def test_inputs_do_not_shadow_the_functions() -> None:
    assert jinja("{{ range(2) | list }}", range="x") == "[0, 1]"


def test_inheritance_macros_and_callers_work() -> None:
    base = "<{% block head %}base{% endblock %}>{% block body %}{% endblock %}"
    page = template(
        "{% extends 'base' %}{% from 'm' import b %}{% block head %}{{ super() }}+{% endblock %}"
        "{% block body %}{% call b() %}{{ item.title }}{% endcall %}{{ self.head() }}{% endblock %}",
        "jinja",
        base=base,
        m="{% macro b() %}<b>{{ caller() }}</b>{% endmacro %}",
    )
    assert page.render({"item": {"title": "<Tent>"}}) == "<base+><b>&lt;Tent&gt;</b>base+"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<p>\n {{ a // 0 }}", "main.jinja:2:1: integer division or modulo by zero"),
        ("{{ a | money('en') }}", "main.jinja:1:1: `money` takes an amount with its currency"),
        ("x\n\n{% include 'card' %}", "card.jinja:2:1: `sum` adds numbers only"),
        ("{{ range }}", "main.jinja:1:1: a function cannot be printed"),
        ("{{ missing() }}", "main.jinja:1:1: `missing` is undefined"),
    ],
)
def test_a_fault_says_which_template_and_line(text: str, message: str) -> None:
    with pytest.raises(RenderError) as raised:
        template(text, "jinja", card="\n{{ ['a'] | sum }}").render({"a": 3})
    assert str(raised.value) == message
