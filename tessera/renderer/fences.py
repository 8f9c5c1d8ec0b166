"""Fences: what was purged, and when, in this process's own count of purges.

A purge touches no answer. It puts up a fence for each of its tags, and an answer is compared with the fences when it
is next looked at: what was fetched, or began to be fetched, before a fence for one of its tags is behind it. So a purge
costs the same however much is remembered, and what is in flight needs no treatment of its own.
"""

from collections.abc import Iterable
from itertools import islice

from tessera.renderer.core.tags import EVERYTHING

Tags = tuple[str, ...]


class Fences:
    """The last purge of each tag, as numbers that grow. ``count`` is the number of the latest.

    A tag is a kind, a colon and a name: ``item:T-1``. A kind alone, ``item:``, stands for whatever was purged of it.
    """

    __slots__ = ("_hard", "_max_tags", "_soft", "count")

    def __init__(self, max_tags: int = 100_000) -> None:
        """Beyond ``max_tags`` the oldest half is forgotten: then all that is older counts as purged."""
        self.count = 0
        self._max_tags = max_tags
        self._soft = _Row()
        self._hard = _Row()

    def put_up(self, tags: Iterable[str], *, hard: bool, now_s: float) -> None:
        """Purge these tags now, on the clock of whoever keeps the answers."""
        self.count += 1
        row = self._hard if hard else self._soft
        for tag in tags:
            row.put_up(tag, self.count, now_s)
            row.put_up(tag.partition(":")[0] + ":", self.count, now_s)
        if len(row.purged) > self._max_tags:
            row.forget(self._max_tags // 2)

    def is_behind(self, began: int, tags: Tags) -> bool:
        """Tell whether any purge of these tags came after the count was ``began``."""
        return self.count > began and (self.hard_since(began, tags) or self.soft_since(began, tags) is not None)

    def hard_since(self, began: int, tags: Tags) -> bool:
        """Tell whether a hard purge did."""
        return self._hard.since(began, tags) is not None

    def soft_since(self, began: int, tags: Tags) -> float | None:
        """Return when the last soft purge that did came, None where none did."""
        return self._soft.since(began, tags)

    def last(self, tags: Tags) -> int:
        """Return the number of the last purge, of either sort, of any of these tags; 0 before the first."""
        return max(self._hard.last(tags), self._soft.last(tags))


class _Row:
    """The purges of one sort: by tag, the number of the last and when it was, the longest ago first."""

    __slots__ = ("_forgotten", "purged")

    def __init__(self) -> None:
        self.purged: dict[str, tuple[int, float]] = {}
        self._forgotten = (0, 0.0)

    def put_up(self, tag: str, number: int, now_s: float) -> None:
        self.purged.pop(tag, None)
        self.purged[tag] = number, now_s

    def forget(self, kept: int) -> None:
        for tag in list(islice(self.purged, len(self.purged) - kept)):
            self._forgotten = self.purged.pop(tag)

    def since(self, began: int, tags: Tags) -> float | None:
        number, now_s = max(self._found(tags))
        return now_s if number > began else None

    def last(self, tags: Tags) -> int:
        return max(self._found(tags))[0]

    def _found(self, tags: Tags) -> list[tuple[int, float]]:
        none = self._forgotten
        if not self.purged:
            return [none]
        return [none, *[self.purged.get(tag, none) for tag in (EVERYTHING, *tags)]]
