"""`slice`, `truncate` and `truncatewords` cut as Liquid does (`Liquid::StandardFilters`, Ruby's `String#slice`).

`slice` gives nothing for a length below zero or a start before the beginning. `truncate` and `truncatewords` leave
alone what has exactly the given length, and an end that is longer than the length stands alone. python-liquid counts a
length below zero from the end, and cuts what fits.
"""

from collections.abc import Sequence

from liquid import Undefined
from liquid.filter import liquid_filter, string_filter

from tessera.renderer.engines.filter_arguments import FilterFault


@liquid_filter
def cut_out(value: object, start: object, length: object = 1) -> object:
    """Return a part of a list or a text, from a place on, which counts from the end where it is below zero."""
    whole: Sequence[object] = value if isinstance(value, list | tuple | range | str) else str(value)
    at, count = _integer(start, "slice"), 1 if isinstance(length, Undefined) else _integer(length, "slice")
    if at < 0:
        at += len(whole)
    part = whole[at : at + count] if at >= 0 and count >= 0 else whole[:0]
    return part if isinstance(part, str) else list(part)


@string_filter
def truncate(value: str, length: object = 50, end: object = "...") -> str:
    """Keep so many characters, the end included."""
    count, ending = _integer(length, "truncate"), str(end)
    return value if len(value) <= count else str(value)[: max(0, count - len(ending))] + ending


@string_filter
def truncate_words(value: str, count: object = 15, end: object = "...") -> str:
    """Keep so many words, at least one."""
    limit, words = max(1, _integer(count, "truncatewords")), str(value).split()
    return value if len(words) <= limit else " ".join(words[:limit]) + str(end)


def _integer(value: object, name: str) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise FilterFault(f"`{name}` takes a whole number") from None
