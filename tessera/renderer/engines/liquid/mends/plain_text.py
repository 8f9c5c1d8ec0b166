"""Filters that look at the letters of a text look at its letters, not at how they are escaped.

With automatic escaping, what was joined with a text of the author's, or captured, is markup, in which `&` is written
`&amp;`. python-liquid's filters take that for letters: `join: ", " | upcase` writes `&AMP;`, `size` counts five, and
`truncate` cuts it in two. Liquid has plain text there. So markup without tags is handed to them as the text that it
stands for, and what they make of it is escaped when it is written.
"""

import re
from collections.abc import Callable
from functools import wraps
from html import unescape

from markupsafe import Markup

# With its semicolon: Python also knows references without one, such as the one in `?a=1&copy=2`.
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")


def on_plain_text(function: Callable[..., object]) -> Callable[..., object]:
    """Hand a filter the text that markup without tags stands for."""

    @wraps(function)
    def call(value: object, *values: object, **named: object) -> object:
        return function(_plain(value), *values, **named)

    return call


def _plain(value: object) -> object:
    if not isinstance(value, Markup) or "<" in value:
        return value
    return _REFERENCE.sub(lambda reference: unescape(reference[0]), str(value))
