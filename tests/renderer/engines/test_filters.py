import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

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
        ("{{ w | date: 'long' }}", "`date` reads no clock: hand it an input that holds the time"),
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
