"""Who is suppressed, as one process knows it: visitors who are answered as if they had refused personalization."""

import logging
from collections.abc import Callable, Collection

from tessera.renderer.core.labels import visitor_tag
from tessera.renderer.core.notices import Notice
from tessera.renderer.core.tags import Tag

log = logging.getLogger("tessera")


class Suppressed:
    """Knows them by digests of their ids. Nobody is, until `load` or a notice says so."""

    def __init__(self, secret: str = "", read: Callable[[], Collection[Tag]] = tuple) -> None:
        """``secret`` is what the digests are made with; ``read`` gives the tags that are stored, or raises OSError."""
        self._secret = secret
        self._read = read
        self._tags: set[Tag] = set()
        self._forget: list[Callable[[], object]] = []

    def holds(self, visitor_id: str) -> bool:
        """Tell whether a visitor is suppressed. Takes some microseconds: who asks remembers the answer."""
        return bool(self._tags) and visitor_tag(visitor_id, self._secret) in self._tags

    def when_changed(self, forget: Callable[[], object]) -> None:
        """Have something called whenever answers of `holds` are no longer true."""
        self._forget.append(forget)

    def obey(self, notice: Notice) -> None:
        """Take in what a notice says of somebody; one without tags says to read again what is stored."""
        if not notice.tags:
            self.load()
        elif notice.kind == "suppress":
            self._change(self._tags.union(notice.tags))
        else:
            self._change(self._tags.difference(notice.tags))

    def load(self) -> None:
        """Read what is stored. Where that fails, what is known stays."""
        try:
            self._change(set(self._read()))
        except OSError as failure:
            log.error("it cannot be read who is suppressed: %s", failure)

    def _change(self, tags: set[Tag]) -> None:
        if tags != self._tags:
            self._tags = tags
            for forget in self._forget:
                forget()
