"""Purges: what is no longer true goes from the inputs first, then from the fragments."""

from collections.abc import Collection

from tessera.renderer.core.tags import EVERYTHING, Tag
from tessera.renderer.fragments import Fragments
from tessera.renderer.sources import Sources


class Purges:
    """Purges in one process. The order matters: a fragment made anew between the two must not be made of old inputs."""

    def __init__(self, sources: Sources, fragments: Fragments) -> None:
        self._sources = sources
        self._fragments = fragments

    def purge(self, tags: Collection[Tag], *, hard: bool) -> None:
        """Purge what carries one of the tags: soft, inputs lose what is left of their fresh life; hard, they go."""
        self._sources.purge(tags, hard=hard)
        self._fragments.purge(frozenset(tags))

    def drop(self) -> None:
        """Let go of all inputs and fragments: for a process that cannot tell what it has missed."""
        self.purge((EVERYTHING,), hard=True)
