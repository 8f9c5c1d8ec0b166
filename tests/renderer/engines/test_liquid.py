from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tessera.renderer.engines.base import RenderError
from tests.renderer.engines.loading import liquid, template


def test_values_print_as_liquid_prints_them() -> None:
    values = {"yes": True, "n": 3, "d": Decimal("1.50"), "none": None, "tags": ["a", "b"]}
    assert liquid("{{ a.yes }}|{{ a.n }}|{{ a.d }}|{{ a.none }}|{{ a.tags }}", a=values) == "true|3|1.50||ab"


def test_what_is_missing_is_empty() -> None:
    text = (
        "[{{ a }}][{{ a.b.c }}][{{ a[0].b }}][{% if a.b %}x{% endif %}][{% for x in a.b %}x{% else %}none{% endfor %}]"
    )
    assert (
        liquid(text)
        == liquid(text, a=None)
        == liquid(text, a={"c": None}).replace("{&#39;c&#39;: None}", "")
        == "[][][][][none]"
    )


def test_there_is_no_clock() -> None:
    assert liquid("{{ now }}{{ today }}{{ now | date: '%Y' }}") == ""


def test_inputs_may_be_called_now_and_today() -> None:
    assert liquid("{{ now | date: '%Y' }}", now=datetime(2026, 3, 1, tzinfo=UTC)) == "2026"


def test_decimals_can_be_reckoned_with() -> None:
    assert liquid("{{ a | times: 2 }} {{ a | plus: 1 }}", a=Decimal("1.5")) == "3.0 2.5"
    assert liquid("{{ a | sum }} {{ b | sum: 'x' }}", a=[Decimal("0.5"), 1], b=[{"x": Decimal(2)}, {}]) == "1.5 2.0"


def test_macros_and_inheritance_are_there() -> None:
    base = "<{% block head %}base{% endblock %}>{% block body required %}{% endblock %}"
    page = template(
        "{% extends 'base' %}{% block body %}{% macro b text %}<b>{{ text }}</b>{% endmacro %}"
        "{% call b item.title %}{% endblock %}{% block head %}{{ block.super }}+{% endblock %}",
        base=base,
    )
    assert page.render({"item": {"title": "<Tent>"}}) == "<base+><b>&lt;Tent&gt;</b>"


def test_one_render_leaves_nothing_for_the_next() -> None:
    hello = template(
        "{{ visitor.name }}{% assign visitor = 'x' %}{% increment n %}{% render 'card' %}", card="{{ visitor.name }}"
    )
    assert hello.render({"visitor": {"name": "Ann"}}) == "Ann0Ann"
    assert hello.render({}) == "0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<p>\n {{ a | divided_by: 0 }}", "main.liquid:2:9: divided_by: can't divide by 0"),
        ("{{ a | money: 'en' }}", "main.liquid:1:8: `money` takes an amount with its currency"),
        ("{% if 'a' < 1 %}{% endif %}", "main.liquid:1:11: `<` and `>` are not supported between `Markup` and `int`"),
        ("x\n{% render 'card', n: a %}", "card.liquid:2:8: divided_by: can't divide by 0"),
        ("{% include b %}", "main.liquid:1:12: there is no template ``"),
    ],
)
def test_a_fault_says_which_template_line_and_column(text: str, message: str) -> None:
    with pytest.raises(RenderError) as raised:
        template(text, card="\n{{ n | divided_by: 0 }}").render({"a": 3})
    assert str(raised.value) == message
