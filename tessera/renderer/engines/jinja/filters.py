"""Jinja's filters: its own where they are safe and bounded, and ours where they are not.

Those of Jinja's that give generators give lists here: a generator prints its address, and fragments are pure functions
of their inputs. Left out are `attr`, `center`, `format`, `indent`, `pprint`, `random`, `safe`, `striptags`, `urlize`,
`wordwrap` and `xmlattr`, which reach into objects, grow without bound, read randomness or make markup out of data.
"""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from datetime import date, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any

from jinja2 import Undefined, pass_context, pass_eval_context
from jinja2.environment import TemplateModule
from jinja2.filters import FILTERS as STOCK
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, Macro
from markupsafe import Markup

from tessera.renderer.engines.filter_arguments import FilterFault
from tessera.renderer.engines.filters import for_language, json_script
from tessera.renderer.engines.jinja import bounds
from tessera.renderer.engines.meter import ENTRY_BYTES, FILTER_STEPS, STEP_BYTES, Meter
from tessera.renderer.engines.translations import NO_TRANSLATIONS, Translations

Filter = Callable[..., Any]

METER: ContextVar[Meter] = ContextVar("meter of the current render")
"""Set while a template is rendered, and only then: nothing that asks for it can run while one is compiled."""

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

    @wraps(function)
    def call(*values: object, **named: object) -> object:
        for value in values:
            if isinstance(value, str | list | tuple | dict):
                METER.get().measure(value)
        return function(*values, **named)

    return call


def _batch(value: Iterable[object], linecount: int, fill_with: object = None) -> list[object]:
    METER.get().afford(linecount * (ENTRY_BYTES + METER.get().weigh(fill_with)))
    return list(STOCK["batch"](value, linecount, fill_with))


@pass_eval_context
def _slice(context: EvalContext, value: Iterable[object], slices: int, fill_with: object = None) -> list[object]:
    METER.get().afford(slices * (ENTRY_BYTES + METER.get().weigh(fill_with)))
    return list(STOCK["slice"](context, value, slices, fill_with))


@pass_eval_context
def _join(context: EvalContext, value: Iterable[object], d: str = "", attribute: str | int | None = None) -> Any:
    parts = list(value)
    METER.get().afford(sum(len(part) if isinstance(part, str) else 8 for part in parts) + len(parts) * len(str(d)))
    return STOCK["join"](context, parts, d, attribute)


@pass_eval_context
def _replace(context: EvalContext, s: str, old: str, new: str, count: int | None = None) -> Any:
    text, sought = str(s), str(old)
    found = text.count(sought)
    METER.get().afford(len(text) + (found if count is None else min(found, count)) * len(str(new)))
    return STOCK["replace"](context, s, old, new, count)


def _round(value: Any, precision: int = 0, method: str = "common") -> Any:
    if not isinstance(precision, int) or abs(precision) > MAX_PRECISION:
        raise FilterFault(f"`round` takes a precision of at most {MAX_PRECISION}")
    return STOCK["round"](value, precision, method)


@pass_context
def _sum(context: Context, iterable: Iterable[Any], attribute: str | int | None = None, start: Any = 0) -> Any:
    numbers = [start, *(iterable if attribute is None else STOCK["map"](context, iterable, attribute=attribute))]
    if not all(isinstance(number, int | float | Decimal) for number in numbers):
        raise FilterFault("`sum` adds numbers only")
    return sum(numbers)


@pass_context
def _each(_context: Context, value: Any) -> Any:
    """Pay for every element of what a loop goes through."""
    sequence = value if isinstance(value, list | tuple | dict | str | range) else list(value)
    METER.get().spend(len(sequence))
    return sequence


@pass_context
def _tick(_context: Context, steps: int) -> None:
    METER.get().spend(steps)


@pass_context
def _filtered(_context: Context, value: object) -> object:
    meter = METER.get()
    meter.spend(FILTER_STEPS)
    meter.glance(value)
    return value


@pass_context
def _measured(_context: Context, value: object) -> object:
    if type(value) is not str or len(value) >= STEP_BYTES:
        METER.get().measure(value)
    return value


@pass_context
def _paid(_context: Context, value: object) -> object:
    METER.get().pay(value)
    return value


@pass_context
def _joined(_context: Context, parts: list[object]) -> str:
    """Write parts one after another: markup where one of them is, and then the others are escaped."""
    texts = [printed(part) for part in parts]
    METER.get().afford(sum(map(len, texts)))
    if any(hasattr(text, "__html__") for text in texts):
        return Markup("").join(texts)
    return "".join(texts)


def printed(value: object) -> str:
    """Return the text of a value: an empty one for None. What has none of its own, such as functions, is refused."""
    if isinstance(value, str):
        if len(value) >= STEP_BYTES:
            METER.get().measure(value)
        return value
    if value is None:
        return ""
    if isinstance(value, list | tuple | dict):
        METER.get().measure(value)
    elif not isinstance(value, _PRINTABLE):
        raise FilterFault(f"a {type(value).__name__.lower()} cannot be printed")
    return value.__html__() if isinstance(value, TemplateModule) else str(value)


@pass_context
def finalize(_context: Context, value: object) -> str:
    """Turn what `{{ … }}` holds into text. Takes the context so that jinja2 leaves it to the render."""
    return value if type(value) is str and len(value) < STEP_BYTES else printed(value)


_PRINTABLE = (int, float, Decimal, date, timedelta, range, Undefined, Macro, TemplateModule)


def jinja_filters(translations: Translations = NO_TRANSLATIONS) -> dict[str, Filter]:
    """Return all filters that Jinja templates may use, by name, and those that `bounds` puts in."""
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
        bounds.EACH: _each,
        bounds.FILTERED: _filtered,
        bounds.JOINED: _joined,
        bounds.MEASURED: _measured,
        bounds.PAID: _paid,
        bounds.TICK: _tick,
    }
