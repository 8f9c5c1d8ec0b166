"""Filters that write amounts and numbers, and choose words by a number, as a locale does."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision, is_currency

from tessera.renderer.engines.filter_arguments import FilterFault, integer_of, locale_of, number_of, text_of

MAX_DECIMALS = 10
PLURALS = ("zero", "one", "two", "few", "many", "other")
"""Unicode CLDR's plural categories (UTS 35, part 3, "Language Plural Rules")."""

_DECIMALS = re.compile(r"0(?:\.[0#]+)?(?=[^0-9#.,]*(?:;|$))")


def money(value: object, locale: object) -> str:
    """Format an amount: `{"amount": 6900, "currency": "EUR"}` is `€69.00` in `en` and `69,00 €` in `de`.

    `amount` counts the currency's minor units (ISO 4217: cents of a euro, whole yen).
    """
    if value is None:
        return ""
    if not isinstance(value, Mapping):
        raise FilterFault("`money` takes an amount with its currency")
    amount, currency = value.get("amount"), value.get("currency")
    if amount is None or currency is None:
        return ""
    if not isinstance(amount, int) or not isinstance(currency, str):
        raise FilterFault("`money` takes an amount in minor units with its currency")
    return _money(int(amount), str(currency), text_of(locale))


@lru_cache(maxsize=4096)
def _money(amount: int, currency: str, locale: str) -> str:
    if not is_currency(currency):
        raise FilterFault(f"unknown currency `{currency}`")
    minor = Decimal(amount).scaleb(-get_currency_precision(currency))
    return str(format_currency(minor, currency, locale=locale_of(locale)))


def number(value: object, locale: object, digits: object = None) -> str:
    """Write a number: `1234.5` is `1,234.5` in `en` and `1.234,5` in `de`.

    With `digits`, 0 to 10, it has so many decimals; without, up to three.
    """
    if value is None or value == "":
        return ""
    decimals = None if digits is None else _decimals(digits, "number")
    return _number(number_of(value, "number"), text_of(locale), decimals)


@lru_cache(maxsize=4096)
def _number(value: Decimal, locale: str, decimals: int | None) -> str:
    written = locale_of(locale)
    pattern = None if decimals is None else _with_decimals(str(written.decimal_formats[None].pattern), decimals)
    return str(format_decimal(value, pattern, locale=written))


def percent(value: object, locale: object, digits: object = 0) -> str:
    """Write a share: `0.25` is `25%` in `en` and `25 %` in `de`, with so many decimals (0 to 10)."""
    if value is None or value == "":
        return ""
    return _percent(number_of(value, "percent"), text_of(locale), _decimals(digits, "percent"))


@lru_cache(maxsize=4096)
def _percent(value: Decimal, locale: str, decimals: int) -> str:
    written = locale_of(locale)
    pattern = _with_decimals(str(written.percent_formats[None].pattern), decimals)
    return str(format_percent(value, pattern, locale=written))


def _decimals(digits: object, name: str) -> int:
    count = integer_of(digits, name)
    if not 0 <= count <= MAX_DECIMALS:
        raise FilterFault(f"`{name}` writes 0 to {MAX_DECIMALS} decimals")
    return count


def _with_decimals(pattern: str, count: int) -> str:
    """Return a number pattern of CLDR, for positive and perhaps for negative numbers, with so many decimals."""
    return _DECIMALS.sub("0." + "0" * count if count else "0", pattern)


def pluralize(value: object, *words: object, locale: object = None, **forms: object) -> str:
    """Choose a word by a count, missing counts as 0: `{{ cart.count | pluralize: "item", "items" }}`.

    Of two words, the first is for 1. Of named words, among which `other` has to be, the locale's rules choose:
    `{{ cart.count | pluralize: locale, one: "Stück", other: "Stücke" }}`.
    """
    if not forms:
        if len(words) != len(("one", "other")):
            raise FilterFault(
                "`pluralize` takes two words, or a locale and words named `one`, `few`, `other` and so on"
            )
        return text_of(words[0] if integer_of(0 if value is None else value, "pluralize") == 1 else words[1])
    unknown = next((name for name in forms if name not in PLURALS), None)
    if unknown is not None:
        raise FilterFault(f"`pluralize` knows {', '.join(PLURALS)}, and not `{unknown}`")
    if "other" not in forms:
        raise FilterFault("`pluralize` needs a word named `other`")
    named = [*words, *([] if locale is None else [locale])]
    if len(named) != 1:
        raise FilterFault("`pluralize` takes one locale beside named words")
    category = locale_of(text_of(named[0])).plural_form(number_of(0 if value is None else value, "pluralize"))
    return text_of(forms.get(category, forms["other"]))
