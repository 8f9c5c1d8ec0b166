"""What a template's text says of its scripts and style sheets is what stands in what it renders, or it says nothing."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tessera.renderer.core.policy import Policy, hash_of
from tessera.renderer.engines.base import RenderError
from tests.renderer.engines.loading import load

INLINE = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
"""An inline script or style, or a comment, which lasts to the end where it does not end: whichever begins first."""
PLAIN = {"x.css": "\np { }\n", "partials/y.js": "y()\n"}


def policy_and_html(text: str, suffix: str, locale: str = "en") -> tuple[Policy, str] | None:
    loaded = load({f"main.{suffix}": text, **PLAIN})
    template = loaded.catalog.templates.get(f"main.{suffix}")
    if template is None:
        return None
    return template.policy, template.render({"locale": locale})


@pytest.mark.parametrize(
    ("suffix", "text", "inline"),
    [
        ("liquid", "<script>\n a = 1;\n</script>", "\n a = 1;\n"),
        ("liquid", "<style>{%- render 'x.css' -%}  </style>", "\np { }\n"),
        ("jinja", "<style>{%- include 'x.css' %}\n</style>", "\np { }\n\n"),
        ("jinja", "<style>\n{% include 'x.css' -%} \n b</style>", "\n\np { }\nb"),
        ("liquid", "<script>{% render 'y.js' %};{% render 'partials/y.js' %}</script>", "y()\n;y()\n"),
        ("jinja", "<script>{# c #}a{#- d -#} b</script>", "ab"),
        ("liquid", "<script>{% # c %}a {%- comment %} d {% endcomment -%} b</script>", "ab"),
        ("jinja", "{% macro m() %}<script>m()</script>{% endmacro %}{{ m() }}", "m()"),
        ("jinja", "<SCRIPT>a</SCRIPT >", "a"),
        ("jinja", "{% if locale %}{% else %}<!--{% endif %}<script>a</script>-->", "a"),
        ("jinja", "<script>{% if locale %}a{% endif %}</script>", None),
        ("liquid", "<script>{% raw %}{{ x }}{% endraw %}</script>", None),
        ("liquid", "{% if locale %}<style>{% endif %}a</style>", None),
    ],
)
def test_an_inline_script_or_style_is_known_as_it_is_rendered(suffix: str, text: str, inline: str | None) -> None:
    found = policy_and_html(text, suffix)
    assert found is not None
    policy, html = found
    assert policy.scripts | policy.styles == (set() if inline is None else {hash_of(inline)})
    assert bool(policy.unknown) is (inline is None)
    assert inline is None or [each[2] for each in INLINE.finditer(html) if each[1]] == [inline]


@pytest.mark.parametrize(
    ("html", "scripts", "styles"),
    [
        ("<script src='https://a.example:8443/x.js'></script>", {"https://a.example:8443"}, set()),
        ("<script src='//a.example/{{ locale }}.js'></script>", {"a.example"}, set()),
        ("<script src='/x/{{ locale }}.js'></script><script src=x.js></script>", set(), set()),
        ("<link rel='preload stylesheet' href=https://b.example/x.css>", set(), {"https://b.example"}),
        (
            "<link rel=modulepreload href=https://b.example/x.mjs><link rel=icon href='data:,'>",
            {"https://b.example"},
            set(),
        ),
        ('<script type="application/json">{{ locale | json_script }}</script>', set(), set()),
    ],
)
def test_what_is_loaded_is_named_by_its_origin(html: str, scripts: set[str], styles: set[str]) -> None:
    found = policy_and_html(html, "jinja")
    assert found is not None
    assert found[0] == Policy(frozenset(scripts), frozenset(styles))


@pytest.mark.parametrize(
    "html",
    [
        "<p onclick='x()'>",
        "<a href=' JavaScript:x()'>",
        "<script src='{{ locale }}'></script>",
        "<script src='https://{{ locale }}/x.js'></script>",
        "<script src='data:text/javascript,x'></script>",
        "<script type='{{ locale }}'></script>",
        "<style>@import 'x.css'</style>",
        "<object data=x>",
        "<iframe srcdoc='<script>x</script>'>",
        "<script>x",
        "{% if locale %}<!--{% endif %}<style>a</style>",
        "{% if locale %}<!--{% endif %}{% if locale %}<!--{% endif %}<style>a</style>-->",
    ],
)
def test_what_no_policy_can_allow_is_named(html: str) -> None:
    found = policy_and_html(html, "jinja")
    assert found is not None
    assert found[0].unknown
    assert found[0].words() is None


PIECES = [
    *("<script>", "</script>", "<style>", "</style>", "<!--", "-->", "a", "\n", " ", "<p>", "{{ locale }}"),
    *("{% if locale %}", "{%- if locale -%}", "{% else %}", "{% endif %}", "{%- endif -%}", "{# x #}", "{#- x -#}"),
    *("{% include 'x.css' %}", "{%- include 'partials/y.js' -%}"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example("<script></script><!--<script>")
def test_no_inline_script_is_overlooked(text: str) -> None:
    for locale in ("en", ""):
        try:
            found = policy_and_html(text, "jinja", locale)
        except RenderError:
            continue
        if found is None or found[0].unknown:
            return
        policy, html = found
        told = {hash_of(each[2]) for each in INLINE.finditer(html) if each[2]}
        assert told <= policy.scripts | policy.styles
