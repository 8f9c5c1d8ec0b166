from concurrent.futures import ThreadPoolExecutor

from tessera.renderer.engines.base import Limits
from tests.renderer.engines.loading import complaints, demanded, load, template


def test_templates_are_known_by_their_path_below_the_folder() -> None:
    loaded = load({"home/hero.liquid": "a", "home/rail.jinja": "b", "logo.svg": "<svg/>", ".hidden.liquid": "{{"})
    assert sorted(loaded.catalog.templates) == ["home/hero.liquid", "home/rail.jinja", "logo.svg"]
    assert complaints(loaded) == ""


def test_partials_are_found_with_and_without_suffix_and_folder() -> None:
    card = {"partials/card.liquid": "card", "partials/card.jinja": "karte"}
    for name in ("partials/card", "card", "partials/card.liquid", "card.liquid"):
        loaded = load({**card, "main.liquid": f"{{% render '{name}' %}}"})
        assert loaded.catalog.templates["main.liquid"].render({}) == "card"
    for name in ("partials/card", "card", "partials/card.jinja", "card.jinja"):
        loaded = load({**card, "main.jinja": f"{{% include '{name}' %}}"})
        assert loaded.catalog.templates["main.jinja"].render({}) == "karte"


def test_plain_files_are_taken_in_unparsed_by_both_languages() -> None:
    logo = "<svg>{{ a }} {% b %} & {#</svg>\n"
    loaded = load({"logo.svg": logo, "a.liquid": "{% include 'logo.svg' %}", "b.jinja": "{% include 'logo.svg' %}"})
    assert {name: each.render({}) for name, each in loaded.catalog.templates.items()} == {
        "a.liquid": logo,
        "b.jinja": logo,
        "logo.svg": logo,
    }


def test_editing_a_partial_changes_the_version_of_every_template_that_takes_it_in() -> None:
    texts = {
        "a.liquid": "{% include 'b' %}",
        "b.liquid": "{% render 'c' %}",
        "c.liquid": "1",
        "other.liquid": "2",
        "x.jinja": "{% import 'y' as y %}",
        "y.jinja": "{% macro m() %}{% endmacro %}",
    }
    before = load(texts).catalog.templates
    after = load({**texts, "c.liquid": "3", "y.jinja": "{% macro n() %}{% endmacro %}"}).catalog.templates
    changed = {name for name in texts if before[name].version != after[name].version}
    assert changed == {"a.liquid", "b.liquid", "c.liquid", "x.jinja", "y.jinja"}


def test_a_template_that_chooses_a_partial_by_data_depends_on_all() -> None:
    texts = {"a.liquid": "{% include visitor.choice %}", "b.liquid": "1"}
    before, after = load(texts).catalog.templates, load({**texts, "b.liquid": "2"}).catalog.templates
    assert before["a.liquid"].version != after["a.liquid"].version
    assert demanded(before["a.liquid"]) == {""}
    assert [(span.line, span.column) for span in before["a.liquid"].widened] == [(1, 4)]


def test_the_same_files_have_the_same_versions() -> None:
    texts = {"a.liquid": "{{ b }}", "b.jinja": "{{ b }}"}
    one, other = load(texts).catalog.templates, load(texts).catalog.templates
    assert {name: each.version for name, each in one.items()} == {name: each.version for name, each in other.items()}
    assert one["a.liquid"].version != one["b.jinja"].version


def test_all_complaints_are_reported_at_once_and_what_is_fine_stays() -> None:
    loaded = load(
        {
            "broken.liquid": "<p>\n{% if visitor.name %}\n</p>\n",
            "broken.jinja": "<p>\n  {{ visitor.name\n",
            "filters.liquid": "{{ visitor.name | shout }}",
            "filters.jinja": "{{ visitor.name | shout }}",
            "missing.liquid": "{% render 'partials/cart' %}",
            "other.jinja": "{% include 'partials/card' %}",
            "partials/card.liquid": "card",
            "notes.md": "# Notes",
        }
    )
    assert (
        complaints(loaded)
        == """\
templates/broken.jinja:2:14: error[T103]: unexpected end of template, expected `end of print statement`
  |
2 |   {{ visitor.name
  |              ^

templates/broken.liquid:2:1: error[T103]: `if` is never ended by `endif`
  |
2 | {% if visitor.name %}
  | ^^

templates/filters.jinja:1:19: error[T103]: unknown filter `shout`
  |
1 | {{ visitor.name | shout }}
  |                   ^

templates/filters.liquid:1:19: error[T103]: unknown filter `shout`
  |
1 | {{ visitor.name | shout }}
  |                   ^^^^^

templates/missing.liquid:1:11: error[T104]: there is no template `partials/cart`
  |
1 | {% render 'partials/cart' %}
  |           ^^^^^^^^^^^^^
  = help: did you mean `partials/card.liquid`?

templates/notes.md:1:1: warning[T108]: `notes.md` is no template and no kind of file that templates take in

templates/other.jinja:1:12: error[T107]: `partials/card` is in the other language; only plain files are shared by both
  |
1 | {% include 'partials/card' %}
  |            ^^^^^^^^^^^^^^^
"""
    )
    assert sorted(loaded.catalog.templates) == ["partials/card.liquid"]


def messages(texts: dict[str, str | bytes], limits: Limits | None = None) -> list[str]:
    return [line for line in complaints(load(texts, limits)).splitlines() if line.startswith("templates/")]


def test_a_file_that_is_no_text_is_reported_with_the_place_of_the_first_wrong_byte() -> None:
    assert messages({"a.jinja": "grün\n".encode() + b"gr\xfcn", "b.liquid": "a\nb\0c", "c.txt": b"\xff"}) == [
        "templates/a.jinja:2:3: error[T101]: the file is not in UTF-8",
        "templates/b.liquid:2:2: error[T101]: the file holds a NUL character",
        "templates/c.txt:1:1: error[T101]: the file is not in UTF-8",
    ]


def test_a_byte_order_mark_is_no_text_and_line_ends_are_all_alike() -> None:
    loaded = load({"a.liquid": b"\xef\xbb\xbfa\r\nb\rc"})
    assert loaded.catalog.templates["a.liquid"].render({}) == "a\nb\nc"
    assert complaints(loaded) == ""


def test_a_file_that_is_too_large_is_reported() -> None:
    limits = Limits(source_bytes=100, output_bytes=200)
    assert messages({"a.jinja": "x" * 101, "b.svg": "x" * 201, "c.svg": "x" * 200}, limits) == [
        "templates/a.jinja:1:1: error[T102]: the file is larger than 100 bytes",
        "templates/b.svg:1:1: error[T102]: the file is larger than 200 bytes",
    ]


def test_templates_that_take_themselves_in_are_reported_and_left_out_with_their_takers() -> None:
    texts: dict[str, str | bytes] = {
        "a.liquid": "{% include 'b' %}",
        "b.liquid": "{% include 'c' %}",
        "c.liquid": "{% if item %}\n{% include 'a' %}{% endif %}",
        "taker.liquid": "{% include 'a' %}",
        "self.jinja": "{% extends 'self' %}",
        "fine.jinja": "fine",
    }
    assert messages(texts) == [
        "templates/c.liquid:2:12: error[T105]: a template takes itself in: "
        "`a.liquid` → `b.liquid` → `c.liquid` → `a.liquid`",
        "templates/self.jinja:1:12: error[T105]: a template takes itself in: `self.jinja` → `self.jinja`",
    ]
    assert sorted(load(texts).catalog.templates) == ["fine.jinja"]


def test_templates_that_take_each_other_in_too_deeply_are_reported_once() -> None:
    texts: dict[str, str | bytes] = {f"{n}.jinja": f"{{% include '{n + 1}.jinja' %}}" for n in range(12)}
    assert messages({**texts, "12.jinja": "end"}) == [
        "templates/2.jinja:1:12: error[T106]: templates take one another in more than 10 deep"
    ]
    assert sorted(load({**texts, "12.jinja": "end"}).catalog.templates) == sorted(f"{n}.jinja" for n in range(3, 13))


def test_an_include_within_a_render_is_reported_where_it_stands() -> None:
    loaded = load({"main.liquid": "{% render 'a' %}", "a.liquid": "<p>{% include 'b' %}</p>", "b.liquid": "b"})
    assert (
        complaints(loaded)
        == """\
templates/a.liquid:1:15: error[T109]: `include` is not allowed in a template that is taken in with `render`
  |
1 | <p>{% include 'b' %}</p>
  |               ^
  = help: use `render` here too
"""
    )
    assert sorted(loaded.catalog.templates) == ["b.liquid"]


def test_of_a_list_of_partials_only_one_has_to_be_there() -> None:
    assert messages({"a.jinja": "{% include ['gone', 'b'] %}{% include 'gone' ignore missing %}", "b.jinja": "b"}) == []


def test_an_unknown_folder_is_an_empty_catalogue() -> None:
    assert load({}).catalog.templates == {}


def test_reads_carry_the_place_of_the_first_read_also_within_partials() -> None:
    loaded = load(
        {"main.liquid": "<p>\n{% render 'card', item: item %}", "card.liquid": "<b>\n {{ item.title | upcase }}"}
    )
    reads = loaded.catalog.templates["main.liquid"].reads
    assert [(path, span.file, span.line, span.column, span.end_column) for path, span in reads] == [
        (("item", "title"), "templates/card.liquid", 2, 5, 15)
    ]


def test_a_catalogue_renders_from_several_threads_at_once() -> None:
    greeting = template("{% for n in (1..50) %}{{ visitor.name }}{% endfor %}")
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(lambda n: greeting.render({"visitor": {"name": n}}), range(40)))
    assert written == [str(n) * 50 for n in range(40)]
