"""Escaping a text for HTML by markupsafe's C core, without what its `escape` makes around it.

`markupsafe.escape` wraps its result in `Markup`, which takes some ten times as long as escaping; what is written out at
once needs no wrapping. The core is private, so its version is pinned and a test compares the two.
"""

from collections.abc import Callable

from markupsafe import escape

try:
    from markupsafe._speedups import _escape_inner
except ImportError:  # A build without the extension, or a release that names it otherwise.

    def _escape_inner(text: str, /) -> str:
        return str(escape(text))


escape_text: Callable[[str], str] = _escape_inner
"""Return a text with `&`, `<`, `>`, `'` and `"` escaped. It must be exactly a `str`: markup would be escaped again."""
