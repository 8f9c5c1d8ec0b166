"""A template may end its own fragment: to show nothing, or to show the slot's default."""

import pytest

from tessera.renderer.engines.base import Abort
from tests.renderer.engines.loading import complaints, demanded, load, template

LANGUAGES = pytest.mark.parametrize("language", ["liquid", "jinja"])


@LANGUAGES
def test_what_was_written_before_is_not_shown(language: str) -> None:
    page = template("<p>{% if visitor.tier == 'none' %}{% abort %}{% endif %}</p>", language)
    assert page.render({"visitor": {"tier": "none"}}) == ""
    assert page.render({"visitor": {"tier": "gold"}}) == "<p></p>"


@LANGUAGES
@pytest.mark.parametrize("text", ['{% abort "fallback" %}', "{%- abort 'fallback' -%}"])
def test_it_may_ask_for_the_default(language: str, text: str) -> None:
    with pytest.raises(Abort) as raised:
        template(text, language).render({})
    assert raised.value.fallback


@LANGUAGES
def test_a_partial_ends_the_whole_fragment(language: str) -> None:
    assert template("<p>{% include 'stop' %}</p>", language, None, stop="x{% abort %}").render({}) == ""


def test_it_ends_the_fragment_wherever_it_stands() -> None:
    for text in (
        "{% capture x %}{% abort %}{% endcapture %}",
        "{% for i in (1..3) %}{% abort %}{% endfor %}",
        "{% render 'stop' %}",
        "{% liquid abort %}",
    ):
        assert template("<p>" + text, stop="{% abort %}").render({}) == ""
    for text in (
        "{% set x %}{% abort %}{% endset %}",
        "{% for i in range(3) %}{% abort %}{% endfor %}",
        "{% macro m() %}{% abort %}{% endmacro %}{{ m() }}",
    ):
        assert template("<p>" + text, "jinja").render({}) == ""


@LANGUAGES
def test_what_decides_about_it_is_demanded(language: str) -> None:
    page = template("{% if cart.count > 3 %}{% abort %}{% endif %}{{ cta.text }}", language)
    assert demanded(page) == {"cart.count", "cta.text"}


@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        ("main.liquid", '<p>{% abort "nothing" %}', "1:13"),
        ("main.liquid", "<p>{% abort fallback %}", "1:13"),
        ("main.jinja", '<p>{% abort "nothing" %}', "1:13"),
        ("main.jinja", "<p>{% abort fallback %}", "1:13"),
    ],
)
def test_anything_else_is_an_error_that_says_what_it_takes(file: str, text: str, place: str) -> None:
    said = complaints(load({file: text}))
    assert said.startswith(
        f"templates/{file}:{place}: error[T103]: `abort` shows nothing, "
        'and `abort "fallback"` the default of the slot; it takes nothing else\n'
    )
