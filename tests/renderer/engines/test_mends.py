"""Where python-liquid departs from Shopify's Liquid, templates get what Shopify's Liquid gives."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.engines.base import RenderError
from tests.renderer.engines.loading import complaints, demanded, liquid, load, template

STORE = {"store": {"limit": 1, "in": {"with": 2}, "contains": 3, "true": 4}}


def test_words_of_tags_name_members() -> None:
    assert liquid("{{ store.limit }}{{store.in.with}}{{ store.contains }}{{ store.true }}", **STORE) == "1234"
    assert liquid("{% if store.limit == 1 %}{% assign a = store.in.with %}{{ a }}{% endif %}", **STORE) == "2"
    assert liquid("{% liquid\nfor i in store.in limit: store.limit\necho i[1]\nendfor\n%}", **STORE) == "2"
    assert demanded(template("{{ store.limit }}{{ store.in.with }}")) == {"store.limit", "store.in.with"}


def test_words_of_tags_name_arguments() -> None:
    card = "{{ for }}{{ limit }}{{ with.in }}"
    assert template("{% render 'card', for: 1, limit: 2, with: a %}", card=card).render({"a": {"in": 3}}) == "123"
    assert template("{% include 'card', limit: 2 %}{{ limit }}", card=card).render({"for": 1}) == "12"
    macro = "{% macro m %}{{ kwargs.limit }}{{ kwargs.with }}{% endmacro %}{% call m limit: 1, with: 2 %}"
    assert liquid(macro) == "12"
    assert liquid("{% assign limit = 3 %}{% if limit == 3 and true %}{{ limit | plus: limit }}{% endif %}") == "6"


def test_a_tag_keeps_its_words_where_they_are_words_of_its_own() -> None:
    assert liquid("{% for i in a limit: 2 offset: 1 %}{{ i }}{% endfor %}", a=[1, 2, 3, 4]) == "23"
    assert liquid("{% tablerow i in a cols: 1 limit: 1 %}{{ i }}{% endtablerow %}", a=[1, 2]).count("<td") == 1
    assert "T103" in complaints(load({"main.liquid": "{% assign x = a.'b' %}"}))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("{{ 'a' -}} b\n", "ab\n"),
        ("{{ 'a' -}}\nb\n\n", "ab\n\n"),
        ("{{ 'a' -}}\n", "a"),
        ("{{ 'a' -}}", "a"),
        ("a\n", "a\n"),
        ("\n", "\n"),
        ("a {%- if true -%} b {%- endif -%} c\n", "abc\n"),
        ("{% raw -%}a{% endraw -%}\n", "a"),
        ("{{ 'a' -}} {% raw %}b{% endraw %}c\n", "abc\n"),
        ("{% comment %}x{% endcomment -%} c\n", "c\n"),
    ],
)
def test_the_last_newline_stays_where_text_stands_before_it(text: str, written: str) -> None:
    assert liquid(text) == written


@pytest.mark.parametrize(
    ("value", "blank"),
    list(zip([None, False, "", " \n", [], {}, True, 0, "a", [None], {"a": 1}], [True] * 6 + [False] * 5, strict=True)),
)
def test_nothing_and_false_are_blank(value: object, blank: bool) -> None:
    for condition in ("a.b == blank", "blank == a.b", "x or a.b == blank", "a.b == blank and true"):
        assert liquid(f"{{% if {condition} %}}yes{{% endif %}}", a={"b": value}) == ("yes" if blank else "")
    assert liquid("{% unless a.b != blank %}yes{% endunless %}", a={"b": value}) == ("yes" if blank else "")
    assert liquid("{% if x %}{% elsif a.b == blank %}yes{% endif %}", a={"b": value}) == ("yes" if blank else "")


def test_asking_for_blank_reads_no_more_than_asking_for_presence() -> None:
    assert demanded(template("{% if items == blank %}{% endif %}")) == {"items.#"}
    assert (
        liquid("{% if nothing == blank %}yes{% endif %}{% if nil == empty or blank == empty %}no{% endif %}") == "yes"
    )


@pytest.mark.parametrize("word", ["empty", "blank"])
def test_what_compares_with_nothing_is_empty_text_elsewhere(word: str) -> None:
    filtered = (
        "[{{ word }}{{ word | uniq }}{{ word | size }}]{% assign x = word %}{% if x == '' and word %}yes{% endif %}"
    )
    assert liquid(filtered.replace("word", word)) == "[0]yes"
    macro = (
        "{% macro m y: word %}{{ args }}{{ kwargs }}[{{ y }}]{% endmacro %}{% call m %}{% call m 1, word, a: word %}"
    )
    assert "object" not in liquid(macro.replace("word", word))


@pytest.mark.parametrize("word", ["break", "continue"])
def test_an_interrupt_outside_of_loops_ends_its_template(word: str) -> None:
    assert liquid(f"a{{% {word} %}}b") == "a"
    assert liquid(f"a{{% if true %}}b{{% liquid\n{word}\n%}}c{{% endif %}}d") == "ab"
    card = f"c{{% {word} %}}d"
    assert template("a{% render 'card' %}b", card=card).render({}) == "acb"
    assert template("{% for i in (1..2) %}{% render 'card' %}{% endfor %}b", card=card).render({}) == "ccb"
    assert template("a{% include 'card' %}b", card=card).render({}) == "ac"
    assert template("a{% render 'card' for a %}b", card=card).render({"a": [1, 2]}) == "accb"
    assert liquid(f"{{% for i in (1..2) %}}{{{{ i }}}}{{% {word} %}}x{{% endfor %}}e") == (
        "1e" if word == "break" else "12e"
    )


def test_a_render_within_a_render_sees_its_own_arguments_and_the_inputs() -> None:
    outer, inner = "{% render 'inner', y: 2 %}", "[{{ x }}{{ y }}{{ z }}]"
    main = template("{% render 'outer', x: 1 %}", outer=outer, inner=inner)
    assert main.render({"z": 3}) == "[23]"
    assert main.render({"x": 4, "z": 3}) == "[423]"
    assert demanded(main) == {"x", "z"}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("{{ 4.5 | round }} {{ 5.5 | round }} {{ -4.5 | round }} {{ 0.5 | round }}", "5 6 -5 1"),
        ("{{ 2.675 | round: 2 }} {{ 1.005 | round: 2 }} {{ 5 | round: 2 }}", "2.68 1.01 5"),
        ("{{ 1250 | round: -2 }} {{ 1234.5 | round: -2 }} {{ 4 | round: -1 }} {{ 5 | round: -9 }}", "1300 1200 0 0"),
        ("{{ d | round }} {{ d | round: 1 }} {{ '4.5' | round: '0' }} {{ nothing | round }}", "3 2.5 5 0"),
        ("{{ 1.5 | round: 99999999 }} {{ 1.5 | round: -99999999 }} {{ 1.5 | round: 'x' }}", "1.5 0 2"),
        ("{{ true | round }} {{ true | round: -1 }}", "1 0"),
        ("{{ 'hello' | truncate: 5 }} {{ 'hello' | truncate: 4 }} {{ 'hello' | truncate: 1 }}", "hello h... ..."),
        ("{{ 'a b c' | truncatewords: 3 }} {{ 'a b c' | truncatewords: 2 }} {{ 'a  b' | truncatewords: 2 }}",
         "a b c a b... a  b"),
        ("[{{ 'abcdef' | slice: 1, -3 }}][{{ 'abc' | slice: -5, 3 }}][{{ 'abc' | slice: -2, 9 }}]", "[][][bc]"),
        ("[{{ a | slice: -5, 3 | size }}][{{ a | slice: 1, 9 | join }}][{{ a | slice: 3, 1 | size }}]", "[0][2 3][0]"),
    ],
)  # fmt: skip
def test_filters_cut_and_round_as_liquid_does(text: str, written: str) -> None:
    assert liquid(text, d=Decimal("2.5"), a=[1, 2, 3]) == written


@pytest.mark.parametrize("use", ["slice: 'x'", "slice: 1.5", "slice: 0, nil", "truncate: 'x'", "truncatewords: 1.5"])
def test_what_is_cut_is_cut_at_whole_numbers(use: str) -> None:
    with pytest.raises(RenderError, match="takes a whole number"):
        liquid("{{ 'abc' | " + use + " }}")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("{{ tags | join: ', ' | upcase }}", "A&amp;B, C&lt;"),
        ("{{ tags | join: ', ' | size }}", "7"),
        ("{{ tags | join: ', ' | slice: 1 }}{{ tags | join: ', ' | split: '' | last }}", "&amp;&lt;"),
        ("{{ 'x' | append: tags[0] | truncate: 4 }} {{ 'xyz' | append: tags[0] | truncate: 5 }}", "xa&amp;b xy..."),
        ("{{ tags[0] | prepend: '?q=' | url_encode }}", "%3Fq%3Da%26b"),
        ("{% capture c %}{{ tags[0] }}{% endcapture %}{{ c | upcase }}{{ c | capitalize }}", "A&amp;BA&amp;b"),
        ("{{ '?a=1&copy=2' | append: tags[0] | downcase }}", "?a=1&amp;copy=2a&amp;b"),
        ("{{ '<b>' | append: tags[0] | append: '</b>' }}", "<b>a&amp;b</b>"),
        ("{{ '<b>' | upcase }}", "<B>"),
    ],
)
def test_filters_of_letters_see_letters(text: str, written: str) -> None:
    assert liquid(text, tags=["a&b", "c<"]) == written


@given(st.text())
def test_what_is_captured_has_the_size_of_what_is_shown(value: str) -> None:
    assert liquid("{% capture c %}{{ v }}{% endcapture %}{{ c | size }}", v=value) == str(len(value))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1152098955, "2006-07-05 11:29"),
        ("1152098955", "2006-07-05 11:29"),
        ("March 14, 2016", "2016-03-14 00:00"),
        ("Mon, 14 Mar 2016 10:00:00 +0200", "2016-03-14 08:00"),
        ("2016-03-14T10:00:00Z", "2016-03-14 10:00"),
        ("soon", "soon"),
        ("Monday", "Monday"),
        ("10:00", "10:00"),
        ("March 2016", "March 2016"),
        ("1/" * 60, "1/" * 60),
    ],
)
def test_dates_are_read_as_people_write_them(value: object, written: str) -> None:
    assert liquid("{{ a | date: '%Y-%m-%d %H:%M' }}", a=value) == written


def test_a_date_without_a_format_is_written_as_it_is() -> None:
    assert liquid("{{ 'March 14, 2016' | date: nothing }}") == "March 14, 2016"


@pytest.mark.parametrize("value", [10**30, "9" * 50])
def test_a_date_beyond_all_calendars_is_a_fault(value: object) -> None:
    with pytest.raises(RenderError):
        liquid("{{ a | date: 'long' }}", a=value)


def test_the_last_of_nothing_is_the_end() -> None:
    assert liquid("{{ 'abc' | remove_last: nothing }}{{ 'abc' | replace_last: nothing, '#' }}") == "abcabc#"
    assert liquid("{{ 'abab' | remove_last: 'b' }}{{ 'abab' | replace_last: 'a', 'x' }}") == "abaabxb"
