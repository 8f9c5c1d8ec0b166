"""Notices: what all processes that serve a site are told, and how that is written down."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Kind = Literal["purge", "look", "disable", "enable", "suppress", "unsuppress"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that happened.

    ``purge``: what carries one of ``tags`` is no longer true; ``hard`` where it must not be shown even as a stand-in.
    ``look``: look at what is live. ``disable`` and ``enable``: ``switch`` is what was thrown, as the switchboard writes
    it. ``suppress`` and ``unsuppress``: visitors by their ``tags``, which are digests; without any, read again who is
    suppressed. Where it came from another machine, ``origin`` names the board that it was first on, and ``number`` is
    its number there.
    """

    kind: Kind
    tags: tuple[str, ...] = ()
    hard: bool = False
    switch: Mapping[str, Any] | None = None
    origin: str | None = None
    number: int = 0

    def to_json(self) -> str:
        """Write it on one line, without what is as usual."""
        said = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(said, separators=(",", ":"))

    @staticmethod
    def read(text: str | bytes) -> "Notice":
        """Read what `to_json` wrote. Raises ValueError for anything else."""
        try:
            said = json.loads(text)
            notice = Notice(**{**said, "tags": tuple(said.get("tags", ()))})
        except (TypeError, AttributeError) as wrong:
            raise ValueError(f"not a notice: {wrong}") from wrong
        if notice.kind not in get_args(Kind) or not all(isinstance(tag, str) for tag in notice.tags):
            raise ValueError("not a notice")
        return notice
