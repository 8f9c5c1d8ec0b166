"""`reads:` in a template's comment: what it reads beyond that is an error where it does."""

import pytest

from tests.renderer.engines.loading import complaints, load


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.jinja",
            "{# reads: visitor.tier, items[].title #}{{ visitor.tier }}{% for i in items %}{{ i.title }}{% endfor %}",
        ),
        ("a.jinja", "{#- reads:\n  visitor\n  items[] -#}{{ visitor.tier }}{{ items | length }}{{ items[0].title }}"),
        ("a.liquid", "{% # reads: visitor.tier %}{{ visitor.tier }}"),
        ("a.liquid", "{%- # reads: visitor.tier,\n  # items[].title -%}{{ visitor.tier }}{{ items.first.title }}"),
        ("a.liquid", "{% comment %}reads: item.price{% endcomment %}{{ item.price | money: 'de' }}"),
        ("a.liquid", "{% comment %} reads: nothing {% endcomment %}<p>Hello</p>"),
        ("a.liquid", "{% raw %}" + "{% # reads:" * 5000 + "{% endraw %}"),
        ("a.jinja", "{% raw %}" + "{# reads:" * 6000 + "{% endraw %}"),
        ("a.liquid", "{% # whoever reads: this %}{{ visitor.tier }}"),
    ],
)
def test_a_template_that_keeps_its_contract_is_left_alone(name: str, text: str) -> None:
    assert complaints(load({name: text})) == ""


def test_what_a_template_reads_beyond_its_contract_is_an_error_where_it_does() -> None:
    texts = {
        "a.liquid": "{% # reads: visitor.tier %}\n{{ visitor.tier }}\n{% render 'card', item: item %}",
        "partials/card.liquid": "<p>\n {{ item.title }}",
    }
    assert complaints(load(texts)) == (
        "templates/partials/card.liquid:2:5: error[T114]: "
        "the contract of `templates/a.liquid` does not name `item.title`\n"
        "  |\n"
        "2 |  {{ item.title }}\n"
        "  |     ^^^^^^^^^^ read here\n"
        "  = help: add `item.title` to `reads:`\n"
    )


def test_what_a_contract_names_in_vain_is_a_warning() -> None:
    assert complaints(load({"a.jinja": "{# reads: visitor.teir, visitor.tier #}{{ visitor.tier }}"})) == (
        "templates/a.jinja:1:11: warning[T115]: nothing here reads `visitor.teir`\n"
        "  |\n"
        "1 | {# reads: visitor.teir, visitor.tier #}{{ visitor.tier }}\n"
        "  |           ^^^^^^^^^^^^\n"
        "  = help: did you mean `visitor.tier`?\n"
    )


def test_a_word_that_is_no_name_is_an_error() -> None:
    assert complaints(load({"a.jinja": "{# reads: items[0].title #}"})) == (
        "templates/a.jinja:1:11: error[T103]: `items[0].title` is no name of an input\n"
        "  |\n"
        "1 | {# reads: items[0].title #}\n"
        "  |           ^^^^^^^^^^^^^^\n"
        "  = help: write names as `visitor.tier` or `items[].title`, with commas between\n"
    )


@pytest.mark.parametrize("use", ["{{ items[0].sku }}", "{{ items | length }}", "{{ visitor }}", "{% include name %}"])
def test_no_use_slips_through(use: str) -> None:
    (found, *_) = load({"a.jinja": "{# reads: visitor.tier #}{{ visitor.tier }}" + use, "b.jinja": ""}).diagnostics
    assert found.code == "T114"


def test_a_contract_for_elements_allows_to_count_them_and_no_more() -> None:
    text = "{# reads: items[].title #}{{ items | length }}{{ items[0].sku }}"
    assert [(each.code, each.message) for each in load({"a.jinja": text}).diagnostics] == [
        ("T115", "nothing here reads `items[].title`"),
        ("T114", "the contract of `templates/a.jinja` does not name `items[].sku`"),
    ]
