import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.engines.base import RenderError
from tests.renderer.engines.loading import jinja, liquid

MOMENT = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "text"),
    [
        (6900, "EUR", "en", "€69.00"),
        (6900, "EUR", "de", "69,00\xa0€"),
        (6900, "EUR", "de-CH", "EUR\xa069.00"),
        (1234567, "USD", "en_US", "$12,345.67"),
        (500, "JPY", "ja", "￥500"),
        (1500, "KWD", "en", "KWD1.500"),
        (-50, "EUR", "en", "-€0.50"),
        (0, "EUR", "fr", "0,00\xa0€"),
    ],
)
def test_money_is_written_as_the_locale_writes_it(amount: int, currency: str, locale: str, text: str) -> None:
    price = {"amount": amount, "currency": currency}
    assert liquid("{{ p | money: l }}", p=price, l=locale) == jinja("{{ p | money(l) }}", p=price, l=locale) == text


def test_missing_values_are_empty_in_every_filter() -> None:
    assert liquid("[{{ a.b | money: 'en' }}{{ a.b | date: 'long' }}{{ a.b | truncate_words: 2 }}]") == "[]"
    assert jinja("[{{ a.b | money('en') }}{{ a.b | date('long') }}{{ a.b | truncate_words(2) }}]", a=None) == "[]"
    assert liquid("{{ p | money: 'en' }}{{ a | json_script }}", p={"amount": None, "currency": "EUR"}) == "null"


@pytest.mark.parametrize(
    ("form", "locale", "zone", "text"),
    [
        ("short", "de", "UTC", "01.03.26"),
        ("medium", "en", "UTC", "Mar 1, 2026"),
        ("long", "de", "Europe/Berlin", "2. März 2026"),
        ("full", "en", "America/New_York", "Sunday, March 1, 2026"),
        ("d. MMMM, HH:mm", "de", "Europe/Berlin", "2. März, 00:30"),
        ("%Y-%m-%d %H:%M", "de", "Europe/Berlin", "2026-03-02 00:30"),
        ("%-d %b %y, %A", "de", "UTC", "1 Mar 26, Sunday"),
    ],
)
def test_a_moment_is_written_in_a_format_a_locale_and_a_zone(form: str, locale: str, zone: str, text: str) -> None:
    given = {"m": MOMENT, "f": form, "l": locale, "z": zone}
    assert liquid("{{ m | date: f, l, z }}", **given) == jinja("{{ m | date(f, l, z) }}", **given) == text


def test_dates_texts_and_other_zones_are_moments_too() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=9)))
    moments = [date(2026, 3, 1), "2026-03-01", "2026-03-01T03:00:00Z", noon, datetime(2026, 3, 1, 5)]  # noqa: DTZ001
    assert [liquid("{{ m | date: '%d %H:%M' }}", m=moment) for moment in moments] == [
        "01 00:00",
        "01 00:00",
        "01 03:00",
        "01 03:00",
        "01 05:00",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ w | date: 'long' }}", "`date` reads no clock: write `now.minute`, `now.hour` or `now.day` without quotes"),
        ("{{ 5.5 | date: 'long' }}", "`date` takes a timestamp"),
        ("{{ m | date: '%Q' }}", "unknown date directive `%Q`"),
        ("{{ m | date: '%s' }}", "unknown date directive `%s`"),
        ("{{ m | date: '%99999999d' }}", "unknown date directive `%9`"),
        ("{{ m | date: 'long', 'xx-yy' }}", "unknown locale `xx-yy`"),
        ("{{ m | date: 'long', 'en', '../etc' }}", "unknown time zone `../etc`"),
        ("{{ p | money: 'klingon' }}", "unknown locale `klingon`"),
        ("{{ q | money: 'en' }}", "unknown currency `XXQ`"),
        ("{{ 5 | money: 'en' }}", "`money` takes an amount with its currency"),
        ("{{ 'a b' | truncate_words: 'x' }}", "`truncate_words` takes a whole number"),
        ("{{ 'a b' | truncate_words: -1 }}", "`truncate_words` keeps no less than 0 words"),
        ("{{ 'x' | pluralize: 'a', 'b' }}", "`pluralize` takes a whole number"),
    ],
)
def test_a_wrong_argument_is_explained(text: str, message: str) -> None:
    inputs = {"w": "now", "m": MOMENT, "p": {"amount": 1, "currency": "EUR"}, "q": {"amount": 1, "currency": "XXQ"}}
    with pytest.raises(RenderError) as raised:
        liquid(text, **inputs)
    assert raised.value.message == message


def test_words_are_truncated_and_counted() -> None:
    assert (
        liquid("{{ t | truncate_words: 2 }}|{{ t | truncate_words: 9 }}|{{ t | truncate_words: 1, '' }}", t="a  b\nc")
        == "a b…|a b c|a"
    )
    assert (
        jinja("{% for n in [0, 1, 2, none] %}{{ n | pluralize('item', 'items') }} {% endfor %}")
        == "items item items items "
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_json_in_a_script_is_that_value_and_cannot_end_the_script(value: object) -> None:
    """Whatever the value holds, neither `</script` nor `<!--` nor an entity comes out, and it parses to the value."""
    written = jinja("{{ v | json_script }}", v=value)
    assert written == liquid("{{ v | json_script }}", v=value)
    assert json.loads(written) == value
    assert not set(written) & set("<>&'\u2028\u2029")


def test_json_writes_decimals_and_moments_as_texts() -> None:
    assert json.loads(liquid("{{ v | json_script }}", v={"d": Decimal("1.50"), "m": MOMENT})) == {
        "d": "1.50",
        "m": "2026-03-01T23:30:00+00:00",
    }


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("{{ 1234.5 | number: 'de' }}", "1.234,5"),
        ("{{ 1234567 | number: 'hi', 2 }}", "12,34,567.00"),
        ("{{ 2.25 | number: 'en', 0 }}", "2"),
        ("{{ '4.70' | number: 'en', 1 }}", "4.7"),
        ("{{ d | number: 'fr', 2 }}", "1,50"),
        ("{{ '-0' | number: 'en' }}", "0"),
        ("{{ 0.25 | percent: 'en' }}", "25%"),
        ("{{ 0.256 | percent: 'de', 1 }}", "25,6\xa0%"),
        ("{{ 0.256 | percent: 'tr', 1 }}", "%25,6"),
        ("{{ nothing | number: 'en' }}{{ nothing | percent: 'en' }}", ""),
        ("{{ nothing | sentence: 'en' }}{{ nothing | image_url: width: 1 }}{{ nothing | srcset: '1' }}", ""),
        ("{{ l | sentence: 'en' }}", "a, b &amp; c, and d"),
        ("{{ l | sentence: 'de', 'or' }}", "a, b &amp; c oder d"),
        ("{{ m | relative_time: '2026-03-02T02:30Z', 'en' }}", "3 hours ago"),
        ("{{ '2026-03-03' | relative_time: m, 'de' }}", "in 1 Tag"),
        ("{{ nothing | relative_time: m, 'de' }}", ""),
    ],
)
def test_numbers_lists_and_spans_are_written_as_the_locale_writes_them(text: str, written: str) -> None:
    assert liquid(text, m=MOMENT, d=Decimal("1.50"), l=["a", "b & c", "d"]) == written


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("pl", "plik pliki plików plików pliki"),
        ("de", "plik pliku pliku pliku pliku"),
        ("ar", "plik pliku pliki plików plików"),
    ],
)
def test_words_follow_the_plural_rules_of_the_locale(locale: str, words: str) -> None:
    forms = "'plik', few: 'pliki', many: 'plików', other: 'pliku'"
    inputs = {"locale": locale, "counts": [1, 2, 5, 12, 23]}
    in_liquid = f"{{% for n in counts %}}{{{{ n | pluralize: locale, one: {forms} }}}} {{% endfor %}}"
    in_jinja = f"{{% for n in counts %}}{{{{ n | pluralize(locale, one={forms}) }}}} {{% endfor %}}"
    assert liquid(in_liquid, **inputs) == jinja(in_jinja.replace(": '", "='"), **inputs) == words + " "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ 'x' | number: 'en' }}", "`number` takes a number"),
        ("{{ 1 | number }}", "`number` is handed `locale` and perhaps `digits`"),
        ("{{ 1 | percent: size: 3 }}", "`percent` is handed `locale` and perhaps `digits`"),
        ("{{ 'a' | json_script: 3 }}", "`json_script` is handed nothing more"),
        ("{{ true | number: 'en' }}", "`number` takes a number"),
        ("{{ '1e999' | number: 'en' }}", "`number` takes a number"),
        ("{{ 1 | number: 'en', 11 }}", "`number` writes 0 to 10 decimals"),
        ("{{ 1 | percent: 'xx-yy' }}", "unknown locale `xx-yy`"),
        (
            "{{ 1 | pluralize: 'a' }}",
            "`pluralize` takes two words, or a locale and words named `one`, `few`, `other` and so on",
        ),
        ("{{ 1 | pluralize: 'en', one: 'a' }}", "`pluralize` needs a word named `other`"),
        ("{{ 1 | pluralize: one: 'a', other: 'b' }}", "`pluralize` takes one locale beside named words"),
        (
            "{{ 1 | pluralize: 'en', ones: 'a', other: 'b' }}",
            "`pluralize` knows zero, one, two, few, many, other, and not `ones`",
        ),
        ("{{ 1 | sentence: 'en' }}", "`sentence` takes a list"),
        ("{{ l | sentence: 'en', 'nor' }}", "`sentence` joins with `and` or with `or`"),
        ("{{ long | sentence: 'en' }}", "`sentence` joins at most 50 texts"),
        ("{{ wide | sentence: 'en' }}", "`sentence` joins at most 10,000 characters"),
        ("{{ 5 | relative_time: m, 'en' }}", "`relative_time` takes a timestamp"),
        (
            "{{ m | relative_time: 'now', 'en' }}",
            "`relative_time` reads no clock: write `now.minute`, `now.hour` or `now.day` without quotes",
        ),
        ("{{ '/a' | image_url: width: 0 }}", "`width` is 1 to 10,000 pixels"),
        ("{{ '/a' | srcset: '320,x' }}", "`srcset` takes a whole number"),
        ("{{ '/a' | srcset: '1,2,3,4,5,6,7,8,9,10,11,12,13' }}", "`srcset` takes at most 12 widths"),
        ("{{ 'javascript:alert(1)' | image_url: width: 3 }}", "a picture is loaded over https, not by `javascript:`"),
        ("{{ 'DATA:image/png,x' | srcset: '3' }}", "a picture is loaded over https, not by `data:`"),
        ("{{ ' javascript:x' | image_url: width: 3 }}", "` javascript:x` is no address of a picture"),
        ("{{ 'http://[x' | image_url: width: 3 }}", "`http://[x` is no address of a picture"),
    ],
)
def test_wrong_arguments_of_numbers_lists_and_pictures_are_explained(text: str, message: str) -> None:
    inputs = {"m": MOMENT, "l": ["a"], "long": ["a"] * 51, "wide": ["a" * 6000] * 2}
    with pytest.raises(RenderError) as raised:
        liquid(text, **inputs)
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("url", "sized"),
    [
        ("/img/tent.jpg", "/img/tent.jpg?width=640&height=480"),
        ("tent.jpg?v=1&width=9#x", "tent.jpg?v=1&width=640&height=480#x"),
        ("https://cdn.example/a b.jpg", "https://cdn.example/a%20b.jpg?width=640&height=480"),
        ("//cdn.example/a%20b.jpg", "//cdn.example/a%20b.jpg?width=640&height=480"),
    ],
)
def test_a_picture_is_asked_for_in_a_size(url: str, sized: str) -> None:
    assert jinja("{{ u | image_url(width=640, height=480) }}", u=url).replace("&amp;", "&") == sized


@given(st.text(max_size=30) | st.from_regex(r"\s*\w{1,11}:[^/].{0,9}", fullmatch=True))
def test_no_address_of_a_picture_runs_a_script_or_leaves_its_attribute(url: str) -> None:
    try:
        written = jinja("{{ u | image_url(width=3) }} {{ u | srcset('3,4') }}", u=url)
    except RenderError:
        return
    assert not set(written) & set("<>\"'\n\t\\")
    for each in written.split(" "):
        assert urlsplit(each).scheme in ("", "http", "https")
