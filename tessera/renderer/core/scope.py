"""Who may share an answer, computed from everything that could be read for it."""

from collections.abc import Iterable
from typing import Literal

Scope = Literal["public", "context", "private"]

_ORDER: tuple[Scope, ...] = ("public", "context", "private")


def narrowest(scopes: Iterable[Scope]) -> Scope:
    """Return the narrowest of scopes; of none at all, ``public``."""
    return max(scopes, key=_ORDER.index, default="public")
