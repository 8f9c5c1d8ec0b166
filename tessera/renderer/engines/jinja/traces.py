"""Where in its templates a render failed, told from the traceback of their compiled code."""

import linecache
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from types import TracebackType

from jinja2.debug import rewrite_traceback_stack

from tessera.renderer.engines.jinja.places import column_of

WrittenAt = tuple[int, int, int]
"""Where a node's code begins: its line from 1, its column from 0 in bytes, and the node's own line, a `Place`."""


def template_place(
    places: Mapping[str, Sequence[WrittenAt]], trace: TracebackType | None
) -> tuple[str, int, int] | None:
    """Return the innermost place of a template in a traceback: its name, line and column.

    `places` has, by template, where the code of each node begins, in order.
    """
    found = None
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name in places:
            found = (name, *_place(places[name], trace))
        trace = trace.tb_next
    return found


def _place(places: Sequence[WrittenAt], trace: TracebackType) -> tuple[int, int]:
    """Return the line and column that a frame had come to: what failed began at the last node before, in its line."""
    line, _, column, _ = list(trace.tb_frame.f_code.co_positions())[trace.tb_lasti // 2]
    at = bisect_right(places, (line or trace.tb_lineno, column or 0), key=lambda place: place[:2])
    around = places[max(at - 1, 0) : at + 1]
    begun = next((place for place in around if place[0] == line), around[0] if around else (1, 0, 1))
    return int(begun[2]), column_of(begun[2])


def show_templates(texts: Mapping[str, str]) -> None:
    """Let the traceback of the exception that is being handled show lines of templates instead of compiled code."""
    trace = rewrite_traceback_stack().__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name in texts:
            linecache.cache[name] = (len(texts[name]), None, texts[name].splitlines(keepends=True), name)
        trace = trace.tb_next
