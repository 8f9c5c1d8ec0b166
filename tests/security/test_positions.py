"""Where escaping is not enough, `tessera check` says so, at the character."""

from pathlib import Path

import pytest

from tessera.renderer.engines.base import Limits
from tessera.renderer.engines.constructs import constructs
from tessera.renderer.engines.positions import dangers
from tessera.renderer.loader import load_site
from tests.support.sites import LOCALES, write_site

EITHER = {
    "<p>{{ x }}</p>": [],
    '<p title="{{ x }}">': [],
    "<p title='a {{ x }}'>": [],
    "<p title={{ x }}>": ["unquoted"],
    "<p title= {{ x }}>": ["unquoted"],
    "<p title=a{{ x }}>": ["unquoted"],
    "<p {{ x }}>": ["unquoted"],
    "<h{{ x }}>": ["unquoted"],
    "<p data-{{ x }}='1'>": ["unquoted"],
    "<p title={{ x | round }}>": [],
    '<p title=a>{{ x }}<p title="b" class=c>{{ x }}': [],
    "<script>let a = {{ x }}</script>{{ x }}": ["code"],
    "<script>let a = '{{ x }}', b = {{ x | json_script }}</script>": ["code"],
    "<SCRIPT>{{ x }}</SCRIPT>": ["code"],
    "<style>p { color: {{ x }} }</style>": ["code"],
    "<style>p { order: {{ x | round }} }</style>": [],
    '<p style="color:{{ x }}">': ["code"],
    '<p onclick="f({{ x }})">': ["code"],
    '<p onclick="f({{ x | json_script }})">': ["code"],
    "<p hx-on:click='{{ x }}'>": ["code"],
    '<iframe srcdoc="{{ x }}">': ["code"],
    '<a href="{{ x }}">': ["address"],
    "<a href='  {{ x }}'>": ["address"],
    '<a HREF = "{{ x }}">': ["address"],
    '<a href="/{{ x }}">': [],
    '<a href="{{ x | url }}">': [],
    '<a href="{{ x | url }}{{ y }}">': ["address"],
    '<a href="{{ x | url | upcase }}">': ["address"],
    '<a href="{{ cta.url }}">': [],
    '<a href="javascript:f({{ x }})">': ["code"],
    '<img src="{{ x | image_url: width: 3 }}" alt="{{ x }}">': [],
    '<form action="{{ x }}"><button formaction="{{ x }}">': ["address", "address"],
    "<!-- <p title={{ x }}> -->": [],
    "<p>a < b {{ x }}</p>": [],
    '<a {% if x %}href="{{ x }}"{% else %}title="{{ x }}"{% endif %}>{{ x }}</a>': ["address"],
    '<a{% if x %} href="/">{% else %} title="">{% endif %}{{ x }}</a>': [],
    '{% if x %}<p title={% else %}<p title="{% endif %}{{ x }}">': [],
    "{% raw %}<p title={{ x }}>{% endraw %}<p>{{ x }}": [],
    '<a href="{{ "/home" }}">': [],
    "<p title='{{ \"}\" }}'>{{ x }}": [],
}
LIQUID = {
    '{% capture y %}<b>{{ x }}{% endcapture %}<p title="{{ y }}">': [],
    "{% comment %}<p title={{ x }}>{% endcomment %}": [],
    "<p title={% echo x %}>": ["unquoted"],
    '<a href="{%- echo x | url -%}">': [],
}
JINJA = {
    "{# <p title={{ x }}> #}<p>{{ x }}": [],
    '<script>{{ {"a": {"b": x}} | tojson }}</script>': [],
    '<script>{{ {"a": {"b": "}}"}} }}</script>': ["code"],
    "<option {{ 'selected' if x }}>": [],
    "<option {{ 'selected' if x else y }}>": ["unquoted"],
    "{% set y = x %}<p title={{ y }}>": ["unquoted"],
    "{% set y %}<b>{{ x }}{% endset %}<p>{{ y }}": [],
    '<p title="{{ x ~ "%}" }}" class={{ x }}>': ["unquoted"],
}


def found(text: str, suffix: str) -> list[str]:
    return [danger for danger, _, _ in dangers(text, suffix)]


@pytest.mark.parametrize("text", EITHER)
def test_a_value_is_complained_of_where_it_does_harm(text: str) -> None:
    assert found(text, ".liquid") == EITHER[text]
    assert found(text.replace("image_url: width: 3", "image_url(width=3)"), ".jinja") == EITHER[text]


@pytest.mark.parametrize("text", LIQUID)
def test_in_liquid(text: str) -> None:
    assert found(text, ".liquid") == LIQUID[text]


@pytest.mark.parametrize("text", JINJA)
def test_in_jinja(text: str) -> None:
    assert found(text, ".jinja") == JINJA[text]


@pytest.mark.parametrize(
    "text", ["{{", "{% if", "<p {{ 'x", "{{ (((", "{% raw %}<", '<a href="{{ x }}', "{% endif %}{% else %}"]
)
@pytest.mark.parametrize("suffix", [".liquid", ".jinja"])
def test_what_is_never_ended_ends_with_the_file(text: str, suffix: str) -> None:
    assert all(each.end <= len(text) for each in constructs(text, suffix))
    assert len(found(text, suffix)) <= 2


def test_the_complaint_points_at_the_value(tmp_path: Path) -> None:
    page = "page: home\nslots:\n  hero: {default: {template: hero.liquid}}\n"
    hero = '<p>x</p>\n<a class=b href="{{ visitor.first_name }}">y</a><i id={{ locale }}></i>\n'
    site = load_site(write_site(tmp_path, {"home.yaml": page}, {"hero.liquid": hero}), LOCALES, Limits())
    assert site.site is not None  # a warning
    text = site.text()
    assert (
        "templates/hero.liquid:2:18: warning[S404]: a value begins an address, which could be a `javascript:` one"
        in text
    )
    assert "= help: let `url` be its last filter: `{{ value | url }}`" in text
    assert "templates/hero.liquid:2:55: warning[S402]: a value stands in a tag without quotes around it" in text
