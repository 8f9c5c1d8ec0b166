"""Liquid's filters: python-liquid's own where they are safe and bounded, and ours where they are not.

Left out of python-liquid's: `safe` and `script_tag` (raw markup from data), `escapejs` (use `json_script`), and its
`date` (reads the clock for `now`).
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import wraps
from typing import Protocol

from liquid import Undefined
from liquid.builtin.filters import array, math, misc, string
from liquid.filter import sequence_filter, string_filter, with_context
from markupsafe import Markup, escape

from tessera.renderer.engines.filter_arguments import FilterFault
from tessera.renderer.engines.filters import for_language
from tessera.renderer.engines.liquid.mends.cutting import cut_out, truncate, truncate_words
from tessera.renderer.engines.liquid.mends.dates import liquid_date
from tessera.renderer.engines.liquid.mends.plain_text import on_plain_text
from tessera.renderer.engines.liquid.mends.rounding import round_half_up
from tessera.renderer.engines.meter import Meter
from tessera.renderer.engines.translations import NO_TRANSLATIONS, Translations

Filter = Callable[..., object]


class Metered(Protocol):
    """A render context that knows the budget of its render."""

    @property
    def meter(self) -> Meter: ...


@with_context
@string_filter
def _replace(value: str, old: object, new: object = "", *, context: Metered) -> str:
    return _replaced(context.meter, value, old, new, -1)


@with_context
@string_filter
def _replace_first(value: str, old: object, new: object = "", *, context: Metered) -> str:
    return _replaced(context.meter, value, old, new, 1)


@with_context
@string_filter
def _replace_last(value: str, old: object, new: object, *, context: Metered) -> str:
    old, new = _as_in(value, old), _as_text_of(value, new)
    before, found, after = _last(str(value), old)
    return type(value)(before + new + after) if found else value


@with_context
@string_filter
def _remove(value: str, old: object, *, context: Metered) -> str:
    return _replaced(context.meter, value, old, "", -1)


@with_context
@string_filter
def _remove_first(value: str, old: object, *, context: Metered) -> str:
    return _replaced(context.meter, value, old, "", 1)


@with_context
@string_filter
def _remove_last(value: str, old: object, *, context: Metered) -> str:
    before, _, after = _last(str(value), _as_in(value, old))
    return type(value)(before + after)


def _last(text: str, sought: str) -> tuple[str, bool, str]:
    """Return what is before and after the last occurrence, and whether there is one. Nothing occurs at the end."""
    at = text.rfind(sought)
    return (text[:at], True, text[at + len(sought) :]) if at >= 0 else (text, False, "")


def _replaced(meter: Meter, value: str, old: object, new: object, count: int) -> str:
    sought, given = _as_in(value, old), _as_text_of(value, new)
    text = str(value)
    found = text.count(sought)
    meter.afford(len(text) + (found if count < 0 else min(found, count)) * len(given))
    return type(value)(text.replace(sought, given, count))


def _as_in(value: str, old: object) -> str:
    """Return how a text is written within `value`: within markup, escaped, unless it is markup itself."""
    return str(escape(old)) if isinstance(value, Markup) else str(old)


def _as_text_of(value: str, new: object) -> str:
    """Return what may take a place within `value` that data chose: within markup, text only."""
    return str(escape(str(new))) if isinstance(value, Markup) else str(new)


@with_context
@sequence_filter
def _join(values: Iterable[object], separator: object = " ", *, context: Metered) -> str:
    parts = [value if isinstance(value, str) else str(value) for value in values]
    glue = Markup(" ") if separator == " " else separator if isinstance(separator, str) else str(separator)
    context.meter.afford(sum(map(len, parts)) + len(parts) * len(glue))
    return glue.join(parts)


@with_context
@sequence_filter
def _uniq(values: list[object], key: object = None, *, context: Metered) -> list[object]:
    context.meter.spend(len(values) ** 2 // 1024)
    unique = array.uniq(values) if key is None else array.uniq(values, key)
    return list(unique)


@with_context
@sequence_filter
def _concat(values: Iterable[object], others: object, *, context: Metered) -> list[object]:
    if not isinstance(others, list | tuple):
        raise FilterFault("`concat` takes a list")
    joined = [*values, *others]
    context.meter.measure(joined)
    return joined


@string_filter
def _strip_html(value: str) -> str:
    """Leave out tags, comments, and scripts and styles with what they hold, in time that is linear in the text."""
    kept: list[str] = []
    text, at = str(value), 0
    lower = text.lower() if len(text.lower()) == len(text) else text
    while (start := text.find("<", at)) >= 0:
        opened = next((name for name in ("<!--", "<script", "<style") if lower.startswith(name, start)), "")
        closing = {"": ">", "<!--": "-->", "<script": "</script>", "<style": "</style>"}[opened]
        end = lower.find(closing, start)
        if end < 0:
            break
        kept.append(text[at:start])
        at = end + len(closing)
    kept.append(text[at:])
    stripped = "".join(kept)
    return type(value)(stripped) if "<" not in stripped else stripped


def _numbers(function: Filter) -> Filter:
    """Let a filter of python-liquid take decimals, which it does not know, as floats."""

    @wraps(function)
    def call(*values: object) -> object:
        return function(*[_number(value) for value in values])

    return call


def _number(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


@sequence_filter
def _sum(values: Iterable[object], key: object = None) -> object:
    if key is None or isinstance(key, Undefined):
        return array.sum_([_number(value) for value in values])
    members = [value.get(str(key), 0) if isinstance(value, Mapping) else 0 for value in values]
    return array.sum_([_number(member) for member in members])


_KEPT: Mapping[str, Filter] = {
    "append": string.append,
    "base64_decode": string.base64_decode,
    "base64_encode": string.base64_encode,
    "base64_url_safe_decode": string.base64_url_safe_decode,
    "base64_url_safe_encode": string.base64_url_safe_encode,
    "capitalize": string.capitalize,
    "compact": array.compact,
    "default": misc.default,
    "downcase": string.downcase,
    "escape": string.escape,
    "escape_once": string.escape_once,
    "find": array.find,
    "find_index": array.find_index,
    "first": array.first,
    "has": array.has,
    "last": array.last,
    "lstrip": string.lstrip,
    "map": array.map_,
    "newline_to_br": string.newline_to_br,
    "prepend": string.prepend,
    "reject": array.reject,
    "reverse": array.reverse,
    "rstrip": string.rstrip,
    "size": misc.size,
    "sort": array.sort,
    "sort_natural": array.sort_natural,
    "split": string.split,
    "squish": string.squish,
    "strip": string.strip,
    "strip_newlines": string.strip_newlines,
    "upcase": string.upcase,
    "url_decode": string.url_decode,
    "url_encode": string.url_encode,
    "where": array.where,
}

_ARITHMETIC: Mapping[str, Filter] = {
    "abs": math.abs_,
    "at_least": math.at_least,
    "at_most": math.at_most,
    "ceil": math.ceil,
    "divided_by": math.divided_by,
    "floor": math.floor,
    "minus": math.minus,
    "modulo": math.modulo,
    "plus": math.plus,
    "round": round_half_up,
    "times": math.times,
}

_OURS: Mapping[str, Filter] = {
    "concat": _concat,
    "join": _join,
    "remove": _remove,
    "remove_first": _remove_first,
    "remove_last": _remove_last,
    "replace": _replace,
    "replace_first": _replace_first,
    "replace_last": _replace_last,
    "slice": cut_out,
    "strip_html": _strip_html,
    "sum": _sum,
    "truncate": truncate,
    "truncatewords": truncate_words,
    "uniq": _uniq,
}


_OF_LETTERS = (
    *("base64_encode", "base64_url_safe_encode", "capitalize", "downcase", "size", "slice", "split"),
    *("truncate", "truncate_words", "truncatewords", "upcase", "url_encode"),
)
"""Filters for which a text is its letters, however it is escaped."""


def liquid_filters(translations: Translations = NO_TRANSLATIONS) -> dict[str, Filter]:
    """Return all filters that Liquid templates may use, by name."""
    arithmetic = {name: _numbers(function) for name, function in _ARITHMETIC.items()}
    filters = {**_KEPT, **arithmetic, **_OURS, **for_language(Undefined, translations)}
    filters |= {name: on_plain_text(filters[name]) for name in _OF_LETTERS}
    return {**filters, "date": liquid_date(filters["date"])}
