# ruff: noqa: E501 (each template stands in one line, beside what it demands)
"""Demands of templates that people write, in both languages, to the letter."""

import pytest

from tests.renderer.engines.loading import demanded, template

LIQUID = {
    "{% for item in items %}{{ item.title }}{% endfor %}": "items.[].title",
    "{% for item in items %}x{% endfor %}": "items.#",
    "{% if items %}{% endif %}": "items.#",
    "{{ items.size }}{{ items | size }}": "items.#",
    "{% if items == empty %}{% endif %}": "items.#",
    "{{ items.first.title }}{{ items[1].sku }}{{ items | last }}": "items.[]",
    "{{ items.first.title }}{{ items[1].sku }}": "items.[].title items.[].sku",
    "{% if visitor.first_name %}{% endif %}": "visitor.first_name",
    "{% if visitor %}{% endif %}": "visitor.#",
    "{% unless cta.text == nil %}{% endunless %}": "cta.text",
    "{{ visitor.tier | upcase | append: geo.country }}": "visitor.tier geo.country",
    "{{ item.price | money: locale }}": "item.price locale",
    "{% assign p = item.price %}{{ p.amount }}": "item.price.amount",
    "{% assign p = item.price %}": "item.price",
    "{% assign p = item %}{% if segment.vip %}{% assign p = cta %}{% endif %}{{ p.text }}": "item.text cta.text segment.vip",
    "{% if segment.vip %}{% assign visitor = item %}{% endif %}{{ visitor.title }}": "segment.vip visitor.title item.title",
    "{% assign visitor = item %}{{ visitor.title }}": "item.title",
    "{% for i in items %}{% assign visitor = i %}{% endfor %}{{ visitor.title }}": "items.[].title visitor.title",
    "{% for i in items %}{{ last.title }}{% assign last = i %}{% endfor %}": "items.[].title last.title",
    "{% for i in items %}{% assign a = cta %}{% break %}{% assign a = 1 %}{% endfor %}{{ a.text }}": "items.# cta.text a.text",
    "{{ items | map: 'title' | join: ', ' }}": "items.[].title",
    "{{ items | where: 'sku', param.sku | map: 'title' }}": "items.[].sku items.[].title param.sku",
    "{% assign a = items | sort: 'price' | reverse %}{% for i in a limit: 3 %}{{ i.title }}{% endfor %}": "items.[].price items.[].title",
    "{{ items | sum: 'quantity' }}": "items.[].quantity",
    "{{ items | map: param.field }}": "items param.field",
    "{{ visitor[param.field] }}": "visitor param.field",
    "{{ visitor['first_name'] }}": "visitor.first_name",
    "{{ [param.field] }}": "",
    "{{ cta.text | default: item.title }}": "cta.text item.title",
    "{% capture c %}{{ item.title }}{% endcapture %}{{ c }}": "item.title",
    "{% case visitor.tier %}{% when 'gold', param.tier %}{{ cta.text }}{% endcase %}": "visitor.tier param.tier cta.text",
    "{% for i in (1..cart.count) %}{{ i }}{{ forloop.index }}{% endfor %}": "cart.count",
    "{% cycle visitor.tier, geo.country %}{% increment n %}{{ n }}": "visitor.tier geo.country n",
    "{% render 'card', item: item %}{% render 'card', item: cta %}": "item.title cta.title visitor.name",
    "{% include 'card' %}{% assign item = cta %}{% include 'card' %}": "item.title cta.title visitor.name",
    "{% render 'card' for items as item %}": "items.[].title visitor.name",
    "{% include 'card' with cta as item %}": "cta.title cta.[].title visitor.name",
    "{% macro m x %}{{ x.title }}{% endmacro %}{% call m item %}": "item.title",
    "{% macro m x %}{{ x.title }}{% endmacro %}": "",
    "{% comment %}{{ visitor.name }}{% endcomment %}{% raw %}{{ visitor.tier }}{% endraw %}": "",
    "{{ 'a' }}{{ 1 }}{{ nil }}": "",
}  # fmt: skip

JINJA = {
    "{% for item in items %}{{ item.title }}{% endfor %}": "items.[].title",
    "{% for item in items %}{{ loop.index }}{% endfor %}": "items.#",
    "{% if items %}{% endif %}": "items.#",
    "{{ items | length }}{{ items | count }}": "items.#",
    "{{ (items | first).title }}{{ items[1].sku }}{{ items[-1].brand }}": "items.[].title items.[].sku items.[].brand",
    "{% for i in items[:3] %}{{ i.title }}{% endfor %}": "items.[].title",
    "{% if visitor.first_name %}{% endif %}{% if visitor.tier is defined %}{% endif %}": "visitor.first_name visitor.tier",
    "{% if visitor %}{% endif %}": "visitor.#",
    "{{ visitor.tier ~ geo.country }}": "visitor.tier geo.country",
    "{{ item.price | money(locale) }}": "item.price locale",
    "{% set p = item.price %}{{ p.amount }}": "item.price.amount",
    "{% set p = item %}{% if segment.vip %}{% set p = cta %}{% endif %}{{ p.text }}": "item.text cta.text segment.vip",
    "{% if segment.vip %}{% set visitor = item %}{% endif %}{{ visitor.title }}": "segment.vip visitor.title item.title",
    "{% set visitor = item %}{{ visitor.title }}": "item.title",
    "{% for i in items %}{% set visitor = i %}{% endfor %}{{ visitor.title }}": "items.# visitor.title",
    "{% set n = namespace(a=cta) %}{% for i in items %}{% set n.a = i %}{% endfor %}{{ n.a.text }}": "items.[].text cta.text",
    "{% set n = namespace() %}{% for i in items %}{{ n.a.text }}{% set n.a = i %}{% endfor %}": "items.[].text",
    "{{ items | map(attribute='title') | join(', ') }}": "items.[].title",
    "{{ items | map('upper') | join }}": "items",
    "{{ items | selectattr('sku', 'eq', param.sku) | map(attribute='price.amount') | sum }}": "items.[].sku items.[].price.amount param.sku",
    "{% for i in items | sort(attribute='price') %}{{ i.title }}{% endfor %}": "items.[].price items.[].title",
    "{% for g in items | groupby('brand') %}{{ g.grouper }}{% for i in g.list %}{{ i.title }}{% endfor %}{% endfor %}": "items.[].brand items.[].title",
    "{% for k, group in items | groupby('brand') %}{{ k }}{{ group | length }}{% endfor %}": "items.[].brand",
    "{% for row in items | batch(3) %}{% for i in row %}{{ i.title }}{% endfor %}{% endfor %}": "items.[].title",
    "{{ items | map(attribute=param.field) }}": "items param.field",
    "{{ visitor[param.field] }}": "visitor param.field",
    "{{ visitor['first_name'] }}{{ visitor.get('tier', cta.text) }}": "visitor.first_name visitor.tier cta.text",
    "{% for k, v in visitor.items() %}{% endfor %}": "visitor",
    "{{ cta.text or item.title }}{{ cta.url if segment.vip else item.url }}": "cta.text item.title cta.url segment.vip item.url",
    "{{ cta.text | default(item.title) }}": "cta.text item.title",
    "{{ {'a': item.title, 'b': cta}.a }}": "item.title cta.#",
    "{{ [item, cta][0].title }}": "item.title cta.title",
    "{% set a %}{{ item.title }}{% endset %}{% filter upper %}{{ cta.text }}{% endfilter %}": "item.title cta.text",
    "{% with a = item %}{{ a.title }}{% endwith %}{{ a.b }}": "item.title a.b",
    "{% include 'card' %}{% set item = cta %}{% include 'card' %}": "item.title cta.title visitor.name",
    "{% include 'card' without context %}": "",
    "{% include ['gone', 'card'] %}": "item.title visitor.name",
    "{% include 'card' if segment.vip else 'lib' %}": "item.title visitor.name segment.vip",
    "{% import 'lib' as lib %}{{ lib.m(item) }}": "item.title",
    "{% from 'lib' import m with context %}{{ m(item) }}{{ m(x=cta) }}": "item.title cta.title visitor.name",
    "{% from 'lib' import wrap %}{% call wrap() %}{{ item.title }}{% endcall %}": "item.title",
    "{% from 'lib' import each %}{% call(i) each(items) %}{{ i.title }}{% endcall %}": "items.[].title",
    "{% macro m(x, y=cta) %}{{ x.title }}{{ y.text }}{% endmacro %}{{ m(item) }}": "item.title cta.text",
    "{% macro m(x) %}{{ x.title }}{% endmacro %}": "",
    "{% extends 'base' %}{% block a %}{{ item.title }}{% endblock %}": "item.title geo.country",
    "{% extends 'base' %}{% block a %}{{ super() }}{% endblock %}": "visitor.name geo.country",
    "{# {{ visitor.name }} #}{% raw %}{{ visitor.tier }}{% endraw %}{{ range(3) | list }}": "",
}  # fmt: skip

PARTIALS = {
    "liquid": {"card": "{{ item.title }}{{ visitor.name }}"},
    "jinja": {
        "card": "{{ item.title }}{{ visitor.name }}",
        "lib": "{% macro m(x) %}{{ x.title }}{{ visitor.name }}{% endmacro %}{% macro wrap() %}{{ caller() }}{% endmacro %}"
        "{% macro each(list) %}{% for i in list %}{{ caller(i) }}{% endfor %}{% endmacro %}",
        "base": "{% block a %}{{ visitor.name }}{% endblock %}{{ geo.country }}",
    },
}


@pytest.mark.parametrize("text", LIQUID)
def test_what_a_liquid_template_demands(text: str) -> None:
    assert demanded(template(text, "liquid", None, **PARTIALS["liquid"])) == expected(text, LIQUID[text])


@pytest.mark.parametrize("text", JINJA)
def test_what_a_jinja_template_demands(text: str) -> None:
    assert demanded(template(text, "jinja", None, **PARTIALS["jinja"])) == expected(text, JINJA[text])


def expected(text: str, demands: str) -> set[str]:
    """No demands are written as nothing; the demand of everything is the empty path."""
    return set(demands.split()) or ({""} if text.startswith("{{ [param") else set())


@pytest.mark.parametrize("suffix", ["liquid", "jinja"])
def test_places_that_widen_are_listed_and_ordinary_templates_have_none(suffix: str) -> None:
    widening = template("<p>\n  {{ visitor[param.field] }}</p>", suffix)
    assert [(span.file, span.line, span.column, span.end_column) for span in widening.widened] == [
        (f"templates/main.{suffix}", 2, 6, 26 if suffix == "liquid" else 13)
    ]
    assert template("{% for i in items %}{{ i.title }}{% endfor %}{{ visitor.tier }}", suffix).widened == ()


@pytest.mark.parametrize("suffix", ["liquid", "jinja"])
def test_each_demand_has_the_place_of_its_first_read(suffix: str) -> None:
    page = template("<p>\n{% if visitor.tier == 'gold' %}\n  {{ cta.text }}{% endif %}{{ cta.text }}", suffix)
    assert [(".".join(path), span.line, span.column, span.end_column) for path, span in page.reads] == [
        ("cta.text", 3, 6, 14),
        ("visitor.tier", 2, 7, 19),
    ]


def test_columns_in_jinja_survive_comments_whitespace_control_and_strings() -> None:
    page = template(
        "{# visitor.a #}\n\n  {%- if 'visitor.b' ~ visitor.c -%}  \n {{- 'ü' }}  {{ visitor.d }}{% endif %}", "jinja"
    )
    assert [(".".join(path), span.line, span.column) for path, span in page.reads] == [
        ("visitor.c", 3, 24),
        ("visitor.d", 4, 17),
    ]


@pytest.mark.parametrize("suffix", ["liquid", "jinja"])
def test_a_template_too_complex_to_follow_counts_as_reading_everything(suffix: str) -> None:
    partials = {f"p{n}": f"{{% include 'p{n + 1}' %}}" * 8 for n in range(6)}
    page = template("{% include 'p0' %}", suffix, None, **partials, p6="{{ visitor.name }}")
    assert demanded(page) == {""}
    assert [(span.line, span.column) for span in page.widened] == [(1, 1)]
