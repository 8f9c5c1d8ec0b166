"""Escaping of texts for HTML, without what markupsafe's own function costs beyond it.

`markupsafe.escape` spends nearly all of its time on making a `Markup`; its core in C takes and gives a `str`. That core
is private, so it is pinned in requirements.lock, tested, and not needed where it is missing (pallets/markupsafe #433).
"""

from collections.abc import Callable

import markupsafe

try:
    from markupsafe import _speedups
except ImportError:  # A platform without the compiled part.
    _speedups = None  # type: ignore[assignment]


def _slowly(text: str) -> str:
    return str(markupsafe.escape(text))


escape_text: Callable[[str], str] = getattr(_speedups, "_escape_inner", _slowly)
"""Escape `&`, `<`, `>`, `'` and `"` in a text. For `str` itself only; subclasses may have views of their own."""
