"""Paths can be hashed, as all expressions can.

python-liquid hashes the list of a path's segments, which raises. A tuple does all that the list does there.
"""

from liquid.builtin.expressions import Path


def make_hashable(path: Path) -> None:
    """Let a path be a key of a dict or a member of a set."""
    path.path = tuple(path.path)  # type: ignore[assignment]
