"""Filters that both languages share, each a pure function of its arguments; docs/templates.md describes them.

None reads a clock, a random source or the process's locale: what depends on language or zone takes it as an argument. A
value that is missing (None) is empty text. A wrong argument raises FilterFault, whose
message is for template authors.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import wraps
from inspect import signature
from typing import Literal

from babel.lists import format_list
from markupsafe import Markup

from tessera.renderer.engines.filter_arguments import FilterFault, integer_of, locale_of, text_of
from tessera.renderer.engines.filters_images import image_url, srcset
from tessera.renderer.engines.filters_numbers import money, number, percent, pluralize
from tessera.renderer.engines.filters_times import localised_date, relative_time
from tessera.renderer.engines.filters_urls import url
from tessera.renderer.engines.translations import Translations

MAX_LISTED = 50
MAX_LISTED_CHARACTERS = 10_000
_KINDS: Mapping[str, Literal["standard", "or"]] = {"and": "standard", "or": "or"}


def json_script(value: object) -> Markup:
    r"""Write a value as JSON that is safe between `<script type="application/json">` and `</script>`.

    `<`, `>`, `&`, `'` and the line separators U+2028 and U+2029 become `\uXXXX`. Decimals and moments become texts.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_as_json)
    return Markup(text.translate(_SCRIPT_ESCAPES))


_SCRIPT_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&'\u2028\u2029"}


def _as_json(value: object) -> str | None:
    """Write what JSON has no form for: a moment in ISO 8601, a decimal as text, a language's missing value as null."""
    return value.isoformat() if isinstance(value, date) else str(value) or None


def truncate_words(value: object, count: object, end: object = "…") -> str:
    """Keep the first `count` words; `end` follows where some were cut off. White space between words becomes one."""
    words = text_of(value).split()
    limit = integer_of(count, "truncate_words")
    if limit < 0:
        raise FilterFault("`truncate_words` keeps no less than 0 words")
    return " ".join(words[:limit]) + (text_of(end) if len(words) > limit else "")


def sentence(value: object, locale: object, kind: object = "and") -> str:
    """Write a list as people do: `a, b, and c` in `en`, `a, b und c` in `de`; with `or` as `kind`, `a, b oder c`."""
    if value is None:
        return ""
    if not isinstance(value, list | tuple):
        raise FilterFault("`sentence` takes a list")
    if text_of(kind) not in _KINDS:
        raise FilterFault("`sentence` joins with `and` or with `or`")
    if len(value) > MAX_LISTED:
        raise FilterFault(f"`sentence` joins at most {MAX_LISTED} texts")
    texts = [text for each in value if (text := text_of(each))]
    if sum(map(len, texts)) > MAX_LISTED_CHARACTERS:
        raise FilterFault(f"`sentence` joins at most {MAX_LISTED_CHARACTERS:,} characters")
    return str(format_list(texts, style=_KINDS[text_of(kind)], locale=locale_of(text_of(locale))))


FILTERS: Mapping[str, Callable[..., object]] = {
    "date": localised_date,
    "image_url": image_url,
    "json_script": json_script,
    "money": money,
    "number": number,
    "percent": percent,
    "pluralize": pluralize,
    "relative_time": relative_time,
    "sentence": sentence,
    "srcset": srcset,
    "truncate_words": truncate_words,
    "url": url,
}
"""Those that need nothing but their arguments; `t` also needs the site's translations."""


def for_language(undefined: type, translations: Translations) -> dict[str, Callable[..., object]]:
    """Return the filters, by name, as a language calls them whose missing values are of the type `undefined`."""

    def adapted(name: str, function: Callable[..., object]) -> Callable[..., object]:
        @wraps(function)
        def call(*values: object, **named: object) -> object:
            present = [None if isinstance(value, undefined) else value for value in values]
            present_by_name = {k: None if isinstance(v, undefined) else v for k, v in named.items()}
            try:
                return function(*present, **present_by_name)
            except TypeError:
                _check_arguments(name, function, present, present_by_name)
                raise

        return call

    return {name: adapted(name, each) for name, each in {**FILTERS, "t": translations.translate}.items()}


def _check_arguments(
    name: str, function: Callable[..., object], values: Sequence[object], named: Mapping[str, object]
) -> None:
    """Tell authors which arguments a filter takes, where they handed it others."""
    taken = signature(function)
    try:
        taken.bind(*values, **named)
    except TypeError:
        _, *rest = [
            each for each in taken.parameters.values() if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
        ]
        needed = [f"`{each.name}`" for each in rest if each.default is each.empty]
        optional = [f"`{each.name}`" for each in rest if each.default is not each.empty]
        words = [", ".join(needed), f"perhaps {' and '.join(optional)}" if optional else ""]
        raise FilterFault(f"`{name}` is handed {' and '.join(filter(None, words)) or 'nothing more'}") from None
