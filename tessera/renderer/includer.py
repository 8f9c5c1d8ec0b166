"""What whoever includes a fragment asks for beside what is in it, by parameters of the query that no rule can read.

Which includer needs what is in docs/including.md.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from tessera.renderer.cache.base import Fragment

ON_ERROR = "on_error"
"""`status`: a slot that stands on a low rung of its ladder answers with 503, as its includer has a fallback."""
TURBO_FRAME = "turbo_frame"
"""The id of the frame that Turbo looks for in an answer; one that is no plain name is the slot's name."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}")

Query = Mapping[str, str]


class Includer(NamedTuple):
    """One includer's wishes: whether it wants failures, and the id of the Turbo frame that it fills, None for none."""

    wants_failures: bool = False
    frame: str | None = None

    def framed(self, fragment: Fragment) -> Fragment:
        """Put a fragment into the frame that Turbo looks for in an answer, and fails without."""
        if self.frame is None:
            return fragment
        return Fragment.of(b'<turbo-frame id="%s">%s</turbo-frame>' % (self.frame.encode(), fragment.body))


ANY = Includer()


def includer_of(query: Query, slot: str) -> Includer:
    """Read the wishes from a query about a slot."""
    if ON_ERROR not in query and TURBO_FRAME not in query:
        return ANY
    frame = query.get(TURBO_FRAME)
    if frame is not None and not _NAME.fullmatch(frame):
        frame = slot
    return Includer(query.get(ON_ERROR) == "status", frame)
