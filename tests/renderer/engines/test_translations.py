"""`t`: what it writes in which locale, and what `tessera check` says of catalogues and of templates that use it."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from tessera.renderer.engines.base import Limits, RenderError
from tessera.renderer.engines.catalog import LoadedCatalog, load_catalog
from tessera.renderer.engines.messages import untranslated
from tessera.renderer.engines.po_files import LoadedTranslations, load_translations
from tessera.rules.diagnostics import render_text
from tests.renderer.engines.loading import complaints, jinja, liquid, load

HEADER = 'msgid ""\nmsgstr ""\n"Plural-Forms: {}\\n"\n\n'
GERMAN = HEADER.format("nplurals=2; plural=(n != 1);") + (
    'msgid "Cart"\nmsgstr "Warenkorb"\n\n'
    'msgid "Total & tax"\nmsgstr "Summe & Steuer"\n\n'
    'msgid "Hello %(name)s"\nmsgstr "Hallo %(name)s"\n\n'
    '#, fuzzy\nmsgid "Unsure"\nmsgstr "Unsicher"\n\n'
    'msgctxt "verb"\nmsgid "Order"\nmsgstr "Bestellen"\n\n'
    'msgid "%(count)s piece"\nmsgid_plural "%(count)s pieces"\n'
    'msgstr[0] "%(count)s Teil"\nmsgstr[1] "%(count)s Teile"\n'
)
AUSTRIAN = HEADER.format("nplurals=2; plural=(n != 1);") + 'msgid "Cart"\nmsgstr "Wagerl"\n'
POLISH = HEADER.format("nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);") + (
    'msgid "%(count)s piece"\nmsgid_plural "%(count)s pieces"\n'
    'msgstr[0] "%(count)s sztuka"\nmsgstr[1] "%(count)s sztuki"\nmsgstr[2] "%(count)s sztuk"\n'
)


def catalogues(folder: Path, **texts: str | bytes) -> LoadedTranslations:
    """Write catalogues by their locale, with `_` for `-`, and read them."""
    for locale, text in texts.items():
        file = folder / "locales" / locale.replace("_", "-") / "messages.po"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_translations(folder / "locales")


def site(folder: Path, templates: Mapping[str, str], **texts: str) -> LoadedCatalog:
    loaded = catalogues(folder, **texts)
    assert loaded.diagnostics == ()
    for name, text in templates.items():
        (folder / "templates").mkdir(exist_ok=True)
        (folder / "templates" / name).write_text(text)
    return load_catalog(folder / "templates", Limits(), loaded.translations)


@pytest.mark.parametrize(
    ("message", "locale", "written"),
    [
        ("Cart", "de", "Warenkorb"),
        ("Cart", "de-AT", "Wagerl"),
        ("Cart", "de_AT", "Wagerl"),
        ("Total & tax", "de-AT", "Summe &amp; Steuer"),
        ("Cart", "fr", "Cart"),
        ("Cart", None, "Cart"),
        ("Camp & repair", "de", "Camp &amp; repair"),
        ("Unsure", "de", "Unsure"),
        ("Order", "de", "Order"),
        ("", "de", ""),
    ],
)
def test_a_message_is_written_in_the_locale_or_what_it_is_a_part_of_or_as_it_is(
    tmp_path: Path, message: str, locale: str | None, written: str
) -> None:
    templates = {"a.liquid": f"{{{{ '{message}' | t: l }}}}", "a.jinja": f"{{{{ '{message}' | t(l) }}}}"}
    found = site(tmp_path, templates, de=GERMAN, de_AT=AUSTRIAN).catalog.templates
    assert [found[name].render({"l": locale}) for name in templates] == [written, written]


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("de", "0 Teile, 1 Teil, 2 Teile, 5 Teile, 22 Teile"),
        ("pl", "0 sztuk, 1 sztuka, 2 sztuki, 5 sztuk, 22 sztuki"),
        ("en", "0 pieces, 1 piece, 2 pieces, 5 pieces, 22 pieces"),
    ],
)
def test_a_count_chooses_among_the_forms_of_the_language(tmp_path: Path, locale: str, written: str) -> None:
    use = "'%(count)s piece' | t: l, plural: '%(count)s pieces', count: n"
    templates = {
        "a.liquid": f"{{% for n in ns %}}{{{{ {use} }}}}{{% unless forloop.last %}}, {{% endunless %}}{{% endfor %}}",
        "a.jinja": "{% for n in ns %}{{ '%(count)s piece' | t(l, plural='%(count)s pieces', count=n) }}"
        "{{ ', ' if not loop.last }}{% endfor %}",
    }
    found = site(tmp_path, templates, de=GERMAN, pl=POLISH).catalog.templates
    inputs = {"l": locale, "ns": [0, 1, 2, 5, 22]}
    assert [found[name].render(inputs) for name in templates] == [written, written]


@given(st.text(max_size=20), st.text(max_size=20))
def test_messages_and_values_are_text_of_which_nothing_else_is_interpreted(before: str, value: str) -> None:
    """Neither `%s` nor `{}` nor a place within a value means anything, and all of it is escaped."""
    message = before.replace("%(", "") + " %(x)s %s {x} %% %(x)d"
    expected = str(escape(message.replace("%(x)s", value, 1)))
    assert liquid("{{ m | t: 'en', x: v }}", m=message, v=value) == expected
    assert jinja("{{ m | t('en', x=v) }}", m=message, v=value) == expected


def test_markup_that_a_template_made_stays_markup_within_a_message() -> None:
    bold = "{% set b %}<b>{{ v }}</b>{% endset %}{{ 'R&D: %(x)s' | t('en', x=b) }}"
    assert jinja(bold, v="<i>") == "R&amp;D: <b>&lt;i&gt;</b>"
    bold = "{% capture b %}<b>{{ v }}</b>{% endcapture %}{{ 'R&D: %(x)s' | t: 'en', x: b }}"
    assert liquid(bold, v="<i>") == "R&amp;D: <b>&lt;i&gt;</b>"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ m | t: 'en' }}", "`t` is not handed `x`, which the message has a place for"),
        ("{{ n | t: 'en', x: 1 }}", "a message has at most 20 places for values"),
        ("{{ m | t: 'en', plural: m, x: 1, count: 'many' }}", "`t` takes a whole number"),
    ],
)
def test_what_a_message_of_data_lacks_is_explained(text: str, message: str) -> None:
    with pytest.raises(RenderError) as raised:
        liquid(text, m="%(x)s", n="%(x)s" * 21)
    assert raised.value.message == message


def test_only_templates_that_may_translate_have_another_version_after_a_catalogue_changed(tmp_path: Path) -> None:
    templates = {
        "a.liquid": "{{ 'Cart' | t: locale }}",
        "b.liquid": "{% render 'a.liquid', locale: locale %}",
        "c.jinja": "{% set names = ['Cart'] %}{{ names | map('t', locale) | first }}",
        "d.jinja": "{% filter t(locale) %}Cart{% endfilter %}",
        "e.liquid": "{{ locale }}",
    }
    before = site(tmp_path, templates, de=GERMAN).catalog.templates
    after = site(tmp_path, templates, de=GERMAN.replace("Warenkorb", "Wagen")).catalog.templates
    again = site(tmp_path, templates, de=GERMAN.replace("Warenkorb", "Wagen")).catalog.templates
    assert {name for name in templates if before[name].version != after[name].version} == set(templates) - {"e.liquid"}
    assert {name: each.version for name, each in again.items()} == {name: each.version for name, each in after.items()}
    for name in ("a.liquid", "b.liquid", "c.jinja", "d.jinja"):
        written = [found[name].render({"locale": "de"}) for found in (before, after)]
        assert written == ["Warenkorb", "Wagen"], name


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('msgid "a"\nmsgstr "b\n', 2, 'a line is a keyword and a text between `"`, or a comment that begins with `#`'),
        ('msgid "a"\nmsgstr b\n', 2, 'a line is a keyword and a text between `"`, or a comment that begins with `#`'),
        ('msgid "a"\nmsgid "b"\nmsgstr "c"\n', 1, "missing msgstr for msgid 'a'"),
        (b'msgid "a"\nmsgstr "\xff"\n', 2, "the file is not in UTF-8"),
        (HEADER.format("nplurals=2; plural=(n % 0);"), 1, "`Plural-Forms` cannot be read: `(n % 0)`"),
        (HEADER.format("nplurals=2; plural=(n != ;"), 1, "`Plural-Forms` cannot be read: `(n !=`"),
    ],
)
def test_a_catalogue_that_cannot_be_read_is_an_error_at_its_line(
    tmp_path: Path, text: str | bytes, line: int, message: str
) -> None:
    (found,) = catalogues(tmp_path, de=text).diagnostics
    assert (found.code, found.severity, found.span.file) == ("T110", "error", "locales/de/messages.po")
    assert (found.span.line, found.message) == (line, message)


def test_a_folder_that_names_no_locale_is_an_error(tmp_path: Path) -> None:
    (found,) = catalogues(tmp_path, klingon=GERMAN).diagnostics
    assert (found.code, found.message) == ("T110", "unknown locale `klingon`")


@given(st.binary(max_size=60) | st.text('msgidstr"[0]%()# \n\\pluralfuzzy:=;', max_size=60))
def test_no_catalogue_breaks_loading(tmp_path_factory: pytest.TempPathFactory, text: str | bytes) -> None:
    loaded = catalogues(tmp_path_factory.mktemp("site"), de=text)
    assert loaded.diagnostics or loaded.translations.by_locale


@pytest.mark.parametrize(
    ("entry", "line", "message"),
    [
        ('msgid "Hi %(name)s"\nmsgstr "Hallo %(nam)s"\n', 2, "has a place for `nam`, which its message lacks"),
        ('msgid "Hi %(name)s"\nmsgstr "Hallo"\n', 2, "lacks the place for `name` of its message"),
        (
            'msgid "%(count)s of %(all)s"\nmsgid_plural "%(count)s of %(all)s"\n'
            'msgstr[0] "eins von %(all)s"\nmsgstr[1] "%(count)s"\n',
            4,
            "lacks the place for `all` of its message",
        ),
    ],
)
def test_a_translation_has_the_places_of_its_message(tmp_path: Path, entry: str, line: int, message: str) -> None:
    (found,) = catalogues(tmp_path, de=entry).diagnostics
    assert (found.code, found.severity, found.span.line) == ("T111", "error", line)
    assert found.message == f"the translation {message}"


def test_a_form_may_leave_out_the_count(tmp_path: Path) -> None:
    entry = 'msgid "one piece"\nmsgid_plural "%(count)s pieces"\nmsgstr[0] "ein Teil"\nmsgstr[1] "%(count)s Teile"\n'
    assert catalogues(tmp_path, de=entry).diagnostics == ()


def test_what_t_is_not_handed_is_an_error_where_it_stands() -> None:
    templates = {"a.liquid": "<p>{{ 'Hi %(name)s' | t: locale }}", "b.jinja": "{{ ('a' if x else 'b') | t }}"}
    assert complaints(load(templates)) == (
        "templates/a.liquid:1:7: error[T112]: `t` is not handed `name`, which the message needs\n"
        "  |\n"
        "1 | <p>{{ 'Hi %(name)s' | t: locale }}\n"
        "  |       ^^^^^^^^^^^^^\n"
        "  = help: write `name: …` after the locale in Liquid, `name=…` in Jinja\n"
        "\n"
        "templates/b.jinja:1:5: error[T112]: `t` is not told the locale\n"
        "  |\n"
        "1 | {{ ('a' if x else 'b') | t }}\n"
        "  |     ^\n"
        "  = help: write `t: locale` in Liquid, `t(locale)` in Jinja\n"
    )


def test_what_is_not_translated_is_one_warning_for_each_locale_that_needs_it(tmp_path: Path) -> None:
    templates = {"a.liquid": "{{ 'Cart' | t: locale }}\n{{ 'More' | t: locale }}{{ 'More' | t: locale }}"}
    loaded = site(tmp_path, templates, de=GERMAN)
    translations = load_translations(tmp_path / "locales").translations
    found = untranslated(loaded.catalog.messages, translations, ["en", "en-GB", "de-AT", "fr"])
    assert render_text(found, loaded.sources) == (
        "templates/a.liquid:2:4: warning[T113]: 1 message is not translated to `de-AT`: `More`\n"
        "  |\n"
        "2 | {{ 'More' | t: locale }}{{ 'More' | t: locale }}\n"
        "  |    ^^^^^^\n"
        "  = help: `tessera messages` writes them into locales/de-AT/messages.po\n"
        "\n"
        "templates/a.liquid:1:4: warning[T113]: 2 messages are not translated to `fr`: `Cart`, `More`\n"
        "  |\n"
        "1 | {{ 'Cart' | t: locale }}\n"
        "  |    ^^^^^^\n"
        "  = help: `tessera messages` writes them into locales/fr/messages.po\n"
    )
