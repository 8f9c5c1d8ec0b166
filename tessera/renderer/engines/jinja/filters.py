"""Jinja's filters: its own where they are safe and bounded, and ours where they are not.

Those of Jinja's that give generators give lists here: a generator prints its address, and fragments are pure functions
of their inputs. Left out are `attr`, `center`, `format`, `indent`, `pprint`, `random`, `safe`, `striptags`, `urlize`,
`wordwrap` and `xmlattr`, which reach into objects, grow without bound, read randomness or make markup out of data.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import wraps
from typing import Any

from jinja2 import Undefined, pass_context
from jinja2.filters import FILTERS as STOCK

from tessera.renderer.engines.filter_arguments import FilterFault
from tessera.renderer.engines.filters import for_language, json_script
from tessera.renderer.engines.jinja.runtime import MeteredContext
from tessera.renderer.engines.meter import ENTRY_BYTES
from tessera.renderer.engines.translations import NO_TRANSLATIONS, Translations

Filter = Callable[..., Any]

MAX_PRECISION = 20
_KEPT = "abs count d default dictsort filesizeformat first float groupby int last length list max min sort".split()
_TEXT = "capitalize e escape forceescape lower string title trim truncate upper urlencode wordcount".split()
_LISTED = "items map reject rejectattr reverse select selectattr unique".split()


def _listed(function: Filter) -> Filter:
    """Give a list where a filter gives an iterator; texts stay texts."""

    @wraps(function)
    def call(*values: object, **named: object) -> object:
        result = function(*values, **named)
        return result if isinstance(result, str) else list(result)

    return call


def _of_text(function: Filter) -> Filter:
    """Let a filter of texts pay for what it goes through; of anything else it makes a text first."""
    takes_environment = hasattr(function, "jinja_pass_arg")

    @pass_context
    @wraps(function)
    def call(context: MeteredContext, *values: object, **named: object) -> object:
        for value in values:
            if isinstance(value, str | list | tuple | dict):
                context.meter.measure(value)
        return function(context.environment, *values, **named) if takes_environment else function(*values, **named)

    return call


@pass_context
def _batch(context: MeteredContext, value: Iterable[object], linecount: int, fill_with: object = None) -> list[object]:
    context.meter.afford(linecount * (ENTRY_BYTES + context.meter.weigh(fill_with)))
    return list(STOCK["batch"](value, linecount, fill_with))


@pass_context
def _slice(context: MeteredContext, value: Iterable[object], slices: int, fill_with: object = None) -> list[object]:
    context.meter.afford(slices * (ENTRY_BYTES + context.meter.weigh(fill_with)))
    return list(STOCK["slice"](context.eval_ctx, value, slices, fill_with))


@pass_context
def _join(context: MeteredContext, value: Iterable[object], d: str = "", attribute: str | int | None = None) -> Any:
    parts = list(value)
    context.meter.afford(sum(len(part) if isinstance(part, str) else 8 for part in parts) + len(parts) * len(str(d)))
    return STOCK["join"](context.eval_ctx, parts, d, attribute)


@pass_context
def _replace(context: MeteredContext, s: str, old: str, new: str, count: int | None = None) -> Any:
    text, sought = str(s), str(old)
    found = text.count(sought)
    context.meter.afford(len(text) + (found if count is None else min(found, count)) * len(str(new)))
    return STOCK["replace"](context.eval_ctx, s, old, new, count)


def _round(value: Any, precision: int = 0, method: str = "common") -> Any:
    if not isinstance(precision, int) or abs(precision) > MAX_PRECISION:
        raise FilterFault(f"`round` takes a precision of at most {MAX_PRECISION}")
    return STOCK["round"](value, precision, method)


@pass_context
def _sum(context: MeteredContext, iterable: Iterable[Any], attribute: str | int | None = None, start: Any = 0) -> Any:
    numbers = [start, *(iterable if attribute is None else STOCK["map"](context, iterable, attribute=attribute))]
    if not all(isinstance(number, int | float | Decimal) for number in numbers):
        raise FilterFault("`sum` adds numbers only")
    return sum(numbers)


def jinja_filters(translations: Translations = NO_TRANSLATIONS) -> dict[str, Filter]:
    """Return all filters that Jinja templates may use, by name."""
    return {
        **{name: STOCK[name] for name in _KEPT},
        **{name: _of_text(STOCK[name]) for name in _TEXT},
        **{name: _listed(STOCK[name]) for name in _LISTED},
        "batch": _batch,
        "join": _join,
        "replace": _replace,
        "round": _round,
        "slice": _slice,
        "sum": _sum,
        "tojson": json_script,
        **for_language(Undefined, translations),
    }
