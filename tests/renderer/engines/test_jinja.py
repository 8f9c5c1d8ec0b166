from datetime import UTC, datetime
from decimal import Decimal
from traceback import format_exception

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


def test_a_partial_without_context_can_stand_anywhere() -> None:
    partial = "{{ a }}|{% include 'card' without context %}"
    text = f"{{% macro m() %}}{partial}{{% endmacro %}}{{{{ m() }}}}{{% set c %}}{partial}{{% endset %}}{{{{ c }}}}"
    assert template(text, "jinja", card="[{{ a }}{{ range(2) | list }}]").render({"a": 1}) == "1|[[0, 1]]" * 2


def test_a_text_block_has_its_filter_applied_with_arguments_of_any_kind() -> None:
    assert jinja("{% set c | replace('b', a) %}abc{% endset %}{{ c }}", a="<") == "a&lt;c"


def test_what_is_named_like_a_loop_is_no_loop() -> None:
    text = "{% for x in [7] %}{% import 'm' as loop %}{{ loop.index }}{% with loop = a %}{{ loop.index }}"
    text += "{% endwith %}{% endfor %}{{ loop.index }}{% for x in a %}{{ loop.index }}{% endfor %}"
    assert template(text, "jinja", m="{% set index = 5 %}").render({"a": {"index": 6}, "loop": {"index": 8}}) == "5681"


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
        ("<p>\n {{ a // 0 }}", "main.jinja:2:5: integer division or modulo by zero"),
        ("{{ a | money('en') }}", "main.jinja:1:8: `money` takes an amount with its currency"),
        ("x\n\n{% include 'card' %}", "card.jinja:2:12: `sum` adds numbers only"),
        ("{{ range }}", "main.jinja:1:4: a function cannot be printed"),
        ("<p>{{ 'ä' }} {{ 'b' if c }}{{ a.b.c.d() }}", "main.jinja:1:31: "),
        ("{% for x in 5 %}{% endfor %}", "main.jinja:1:13: `int` object is not iterable"),
        ("{% macro m(x) %}\n{{ x - 'a' }}{% endmacro %}\n{{ m(1) }}", "main.jinja:2:4: unsupported operand type(s)"),
        ("{% block b %}{{ 1 }}{{ a - {} }}{% endblock %}", "main.jinja:1:24: unsupported operand type(s)"),
        ("{% include a %}", "main.jinja:1:12: "),
        ("{{ missing() }}", "main.jinja:1:4: `missing` is undefined"),
    ],
)
def test_a_fault_says_which_template_line_and_column(text: str, message: str) -> None:
    with pytest.raises(RenderError) as raised:
        template(text, "jinja", card="\n{{ ['a'] | sum }}").render({"a": 3})
    assert str(raised.value).startswith(message)


def test_a_traceback_shows_the_lines_of_templates() -> None:
    page = template("<p>\n{% block b %}\n  {% include 'card' %}{% endblock %}", "jinja", card="\n{{ ['a'] | sum }}")
    with pytest.raises(RenderError) as raised:
        page.render({})
    shown = "".join(format_exception(raised.value))
    assert "File \"main.jinja\", line 3, in block 'b'\n    {% include 'card' %}{% endblock %}\n" in shown
    assert "File \"card.jinja\", line 2, in top-level template code\n    {{ ['a'] | sum }}\n" in shown
