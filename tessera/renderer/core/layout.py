"""A page's layout: rendered with a mark where each slot goes, then cut at the marks and filled.

So a layout is cached like any fragment, whatever its slots hold. Data cannot forge a mark: in rendered text
every ``<`` that comes from data is escaped.
"""

import re
from collections.abc import Mapping

_MARK = re.compile(rb"<!--tessera:slot:([a-z0-9_-]+)-->")


def mark(slot: str) -> str:
    """Return what stands in a rendered layout where a slot's fragment goes."""
    return f"<!--tessera:slot:{slot}-->"


def compose(layout: bytes, fragments: Mapping[str, bytes]) -> bytes:
    """Fill a rendered layout with its slots' fragments; a slot that is not there leaves nothing."""
    return _MARK.sub(lambda found: fragments.get(found[1].decode(), b""), layout)
