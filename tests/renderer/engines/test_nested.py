"""A part of a template may be a fragment of its own: it demands for itself, and sees only the inputs."""

import pytest

from tessera.renderer.core.layout import nested_mark
from tests.renderer.engines.loading import complaints, demanded, load, template

LANGUAGES = pytest.mark.parametrize("language", ["liquid", "jinja"])
GREETING = '<p>{% fragment "greeting" %}Hello {{ visitor.first_name }}{% endfragment %}</p>{{ cta.text }}'


@LANGUAGES
def test_it_demands_for_itself_and_the_template_around_it_does_not(language: str) -> None:
    page = template(GREETING, language)
    ((name, greeting),) = page.nested
    assert (name, greeting.name) == ("greeting", f"main#greeting.{language}")
    assert demanded(page) == {"cta.text"}
    assert demanded(greeting) == {"visitor.first_name"}
    assert page.version != greeting.version


@LANGUAGES
def test_a_mark_stands_where_it_goes(language: str) -> None:
    page = template(GREETING, language)
    assert page.render({"cta": {"text": "Look"}}) == f"<p>{nested_mark('greeting')}</p>Look"
    assert page.nested[0][1].render({"visitor": {"first_name": "<Ann>"}}) == "Hello &lt;Ann&gt;"


@LANGUAGES
def test_those_without_a_name_are_numbered_and_they_nest(language: str) -> None:
    page = template(
        "{% fragment %}a{% fragment %}b{% endfragment %}{% endfragment %}"
        "{% if cta.text %}{%- fragment -%} c {%- endfragment -%}{% endif %}",
        language,
    )
    assert [(name, each.name) for name, each in page.nested] == [
        ("1", f"main#1.{language}"),
        ("2", f"main#2.{language}"),
    ]
    ((name, inner),) = page.nested[0][1].nested
    assert (name, inner.name, inner.render({})) == ("1", f"main#1#1.{language}", "b")
    assert page.nested[1][1].render({}) == "c"


@LANGUAGES
def test_partials_are_taken_in_by_the_fragment_alone(language: str) -> None:
    page = template(
        "{% fragment %}{% include 'card' %}{% endfragment %}", language, None, card="{{ item.title }}{{ visitor.tier }}"
    )
    assert demanded(page) == set()
    assert demanded(page.nested[0][1]) == {"item.title", "visitor.tier"}
    assert f"card.{language}" in page.takes_in


@LANGUAGES
def test_a_change_in_its_partial_changes_its_version(language: str) -> None:
    text = "{% fragment %}{% include 'card' %}{% endfragment %}"
    one, other = (template(text, language, None, card=card).nested[0][1].version for card in ("a", "b"))
    assert one != other


@pytest.mark.parametrize(
    ("file", "text", "place", "said"),
    [
        ("main.liquid", "{% for i in items %}{% fragment %}x{% endfragment %}{% endfor %}", "1:24", "within `for`"),
        ("main.liquid", "{% capture x %}{% fragment %}x{% endfragment %}{% endcapture %}", "1:19", "within `capture`"),
        ("main.jinja", "{% for i in items %}{% fragment %}x{% endfragment %}{% endfor %}", "1:24", "within `for`"),
        ("main.jinja", "{% macro m() %}{% fragment %}x{% endfragment %}{% endmacro %}", "1:19", "within `macro`"),
        ("main.jinja", "{% set x %}{% fragment %}x{% endfragment %}{% endset %}", "1:15", "within `set`"),
    ],
)
def test_it_stands_at_the_top_or_within_conditions(file: str, text: str, place: str, said: str) -> None:
    found = complaints(load({file: text}))
    assert found.startswith(f"templates/{file}:{place}: error[T103]: `fragment` cannot stand {said}, as it sees only")


@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        ("main.liquid", "{% assign n = cta.text %}\n{% fragment %}{{ n }}{% endfragment %}", "2:18"),
        ("main.jinja", "{% set n = cta.text %}\n{% fragment %}{{ n }}{% endfragment %}", "2:18"),
        ("main.jinja", "{% macro n() %}{% endmacro %}\n{% fragment %}{{ n.x }}{% endfragment %}", "2:18"),
        ("main.liquid", "{% assign n = 1 %}{% fragment %}\n{% fragment %}{{ n }}{% endfragment %}{% endfragment %}",
         "2:18"),
    ],
)  # fmt: skip
def test_a_name_of_the_template_around_it_is_an_error_at_its_place(file: str, text: str, place: str) -> None:
    loaded = load({file: text})
    said = complaints(loaded)
    assert f"{file}:{place}: error[T117]: `n` is set outside this fragment, which sees only the inputs\n" in said
    assert "help: set it within the fragment as well" in said
    assert loaded.catalog.templates == {}


@LANGUAGES
def test_what_it_sets_itself_it_may_read(language: str) -> None:
    tag = "assign" if language == "liquid" else "set"
    page = template(f"{{% fragment %}}{{% {tag} n = cta.text %}}{{{{ n }}}}{{% endfragment %}}", language)
    assert page.nested[0][1].render({"cta": {"text": "x"}}) == "x"


@LANGUAGES
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% fragment 'A b' %}{% endfragment %}", "1:13: error[T103]: `fragment` takes a name of small letters"),
        ("{% fragment x %}{% endfragment %}", "1:13: error[T103]: `fragment` takes a name of small letters"),
        (
            "{% fragment 'a' %}{% endfragment %}{% fragment 'a' %}{% endfragment %}",
            "1:39: error[T103]: there are two `fragment` of the name `a` in this template",
        ),
    ],
)
def test_names_are_plain_and_differ(language: str, text: str, said: str) -> None:
    assert complaints(load({f"main.{language}": text})).startswith(f"templates/main.{language}:{said}")


@LANGUAGES
def test_one_that_others_take_in_has_none(language: str) -> None:
    loaded = load({f"main.{language}": "{% include 'part' %}", f"part.{language}": "{% fragment %}x{% endfragment %}"})
    said = complaints(loaded)
    assert f"templates/part.{language}:1:4: error[T116]: `fragment` is not allowed in a template that another" in said
    assert loaded.catalog.templates == {}


@LANGUAGES
def test_there_are_no_more_of_them_than_can_be_compiled_soon(language: str) -> None:
    said = complaints(load({f"main.{language}": "{% fragment %}{% endfragment %}" * 51}))
    assert said.startswith(f"templates/main.{language}:1:1: error[T103]: more than 50 `fragment` in one template")


@LANGUAGES
def test_faults_in_it_are_told_in_its_file(language: str) -> None:
    said = complaints(load({f"main.{language}": "{% fragment %}\n{% include 'gone' %}{% endfragment %}"}))
    assert said.startswith(f"templates/main.{language}:2:12: error[T104]: there is no template `gone`")
