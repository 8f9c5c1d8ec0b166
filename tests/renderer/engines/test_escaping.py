"""Markup in data never arrives as markup, in either language."""

import sys
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup, escape

from tessera.renderer.engines import escaping
from tessera.renderer.engines.base import RenderError
from tessera.renderer.engines.escaping import escape_text
from tessera.renderer.engines.jinja.filters import jinja_filters
from tessera.renderer.engines.liquid.filters import liquid_filters
from tests.renderer.engines.loading import jinja, liquid, template

EVIL = "<script>alert(1)</script><img src=x onerror='x' alt=\"y\">&"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&#39;x&#39; alt=&#34;y&#34;&gt;&amp;"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


def tags(html: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
    parser = Tags()
    parser.feed(html)
    parser.close()
    return parser.found


def test_markup_arrives_escaped() -> None:
    assert liquid("{{ a }}", a=EVIL) == jinja("{{ a }}", a=EVIL) == ESCAPED
    assert liquid("{{ a | escape }}{{ a | escape_once }}", a=EVIL) == ESCAPED * 2
    assert jinja("{{ a | e }}", a=EVIL) == ESCAPED


@given(st.text())
def test_no_text_leaves_its_element_or_its_attribute(value: str) -> None:
    for write, text in ((liquid, TEXT), (jinja, TEXT)):
        assert tags(write(text, v=value)) == [("p", [("title", tags_value(value))])]


TEXT = '<p title="{{ v }}">{{ v }}</p>'


def tags_value(value: str) -> str:
    return tags(f'<p title="{value.replace("&", "&amp;").replace(chr(34), "&quot;")}">')[0][1][0][1] or ""


def test_markup_that_the_renderer_hands_in_stays_markup() -> None:
    """Slots of a layout are the one input that is markup already."""
    slots = {"hero": Markup("<div></div>")}
    assert liquid("{{ slots.hero }}", slots=slots) == jinja("{{ slots.hero }}", slots=slots) == "<div></div>"


@given(st.text())
def test_the_core_of_escaping_writes_what_markupsafe_writes(value: str) -> None:
    assert escape_text(value) == str(escape(value))
    assert type(escape_text(value)) is str


def test_escaping_does_without_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "markupsafe._speedups", None)
    spec = spec_from_file_location("without_core", escaping.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.escape_text is not escape_text
    assert module.escape_text(EVIL) == ESCAPED


def test_lists_objects_and_keys_arrive_escaped() -> None:
    values = {"l": [EVIL, {EVIL: EVIL}], "o": {EVIL: [EVIL]}}
    for text in ("{{ l }}", "{{ o }}", "{% for k in o %}{{ k }}{% endfor %}"):
        assert "<" not in liquid(text, **values)
        assert "<" not in jinja(text, **values)


@pytest.mark.parametrize(
    "text",
    [
        "{% capture c %}{{ a }}{% endcapture %}{{ c | replace: '&lt;', '<' }}",
        "{{ a | escape | replace: '&lt;', '<' | replace: '&gt;', '>' }}",
        "{{ a | escape | replace_first: '&lt;', '<' }}",
        "{{ a | escape | replace_last: '&lt;', '<' }}",
        "{{ a | replace_last: 'script', '<b>' }}",
        "{{ a | url_encode | url_decode }}",
        "{{ a | base64_encode | base64_decode }}",
        "{{ a | escape | url_decode }}",
        "{{ a | newline_to_br | strip_newlines | escape_once }}",
        "{% capture c %}{{ a }}{% endcapture %}{{ c | split: '' | reverse | join: '' }}",
        "{% capture c %}{{ a }}{% endcapture %}{{ c | remove: 'amp;' }}{{ c | slice: 0, 9 }}{{ c | truncate: 7 }}",
        "{{ l | join: ', ' }}{{ l | first }}{{ l | map: 'x' }}{{ l | concat: l | uniq }}",
        "{{ o | map: 'x' | join }}{{ 'x' | append: a }}{{ 'x' | prepend: a }}{{ nil | default: a }}",
        "{% cycle a, a %}{% assign b = a %}{{ b }}{% echo a %}{% include 'card', b: a %}{% render 'card', b: a %}",
        "{% macro m x %}{{ x }}{% endmacro %}{% call m a %}{% ifchanged %}{{ a }}{% endifchanged %}{% liquid echo a %}",
    ],
)
def test_no_chain_in_liquid_makes_markup_of_data(text: str) -> None:
    written = template(text, card="{{ b }}").render({"a": EVIL, "l": [EVIL], "o": [{"x": EVIL}]})
    assert "<" not in written.replace("<br />", "")


@pytest.mark.parametrize(
    "text",
    [
        "{% set c %}{{ a }}{% endset %}{{ c | replace('&lt;', '<') }}{{ c | replace('&lt;' | e, '<') }}",
        "{{ a | e | replace('&lt;', '<') }}{{ (a | e).replace }}{{ a | forceescape | replace('&lt;', '<') }}",
        "{% set c %}{{ a }}{% endset %}{{ c | reverse }}{{ c[1:] }}{{ c[::-1] }}{{ c | list | join }}",
        "{% set c %}{{ a }}{% endset %}{{ c | trim('&') }}{{ c | truncate(9) }}{{ c.split('&') | join('<') | e }}",
        "{{ a ~ ('x' | e) }}{{ ('x' | e) ~ a }}{{ ('x' | e) + a }}{{ a + ('x' | e) }}{{ [a, 'x' | e] | join }}",
        "{{ l | join(', ') }}{{ l | first }}{{ l | map('upper') | join }}{{ l | map('e') | map('lower') | join }}",
        "{% macro m(x) %}{{ x }}{{ caller() }}{% endmacro %}{% call m(a) %}{{ a }}{% endcall %}{{ varargs }}",
        "{% filter upper %}{{ a }}{% endfilter %}{% filter replace('&lt;', '<') %}{{ a }}{% endfilter %}",
        "{% set c | upper %}{{ a }}{% endset %}{{ c }}{% with d = a %}{{ d }}{% endwith %}{% include 'card' %}",
        "{{ a | title }}{{ a | capitalize }}{{ a | urlencode }}{{ {a: a} }}{{ [a] }}{{ (a,) }}{{ a | tojson }}",
        "{% filter d(a, true) %}{% endfilter %}{% filter truncate_words(1, a) %}x y{% endfilter %}",
        "{% set c | d(a, true) %}{% endset %}{{ c }}{% set c | truncate_words(1, a) %}x y{% endset %}{{ c }}",
        "{{ a | truncate_words(2, '<') }}{{ 1 | pluralize(a, a) }}{{ a | default('x') }}{{ b | default(a) }}",
    ],
)
def test_no_chain_in_jinja_makes_markup_of_data(text: str) -> None:
    written = template(text, "jinja", card="{{ a }}").render({"a": EVIL, "l": [EVIL], "o": [{"x": EVIL}]})
    assert "<" not in written


LIQUID_ARGUMENTS = ("", ": 'x'", ": 3", ": a", ": 'b', a", ": 1, 5", ": l")
JINJA_ARGUMENTS = ("", "('x')", "(3)", "(a)", "('x', a)", "(attribute='x')", "(l)")


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_no_random_chain_of_filters_makes_markup_of_data(seed: int) -> None:
    """No argument holds markup of the author's, so no `<` can come out, but for the line breaks that Liquid makes."""
    random = Random(seed)
    for write, names, arguments, markup in (
        (liquid, liquid_filters(), LIQUID_ARGUMENTS, "{% capture c %}{{ a }}{% endcapture %}"),
        (
            jinja,
            list(jinja_filters()),
            JINJA_ARGUMENTS,
            "{% set c %}{{ a }}{% endset %}",
        ),
    ):
        chain = "".join(
            f" | {random.choice(sorted(names))}{random.choice(arguments)}" for _ in range(random.randrange(1, 4))
        )
        try:
            written = write(
                f"{markup}{{{{ {random.choice('aclo')}{chain} }}}}", a=EVIL, l=[EVIL, EVIL], o=[{"x": EVIL}]
            )
        except RenderError:
            continue
        assert "<" not in written.replace("<br />", "")
