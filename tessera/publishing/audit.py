"""The record of purges and suppressions: a line of JSON for each, appended to and never changed,
without the id of any visitor.
"""

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from tessera.renderer.core.labels import VISITOR, visitor_tag
from tessera.renderer.core.notices import Notice
from tessera.renderer.core.tags import Tag

FILE = "purges.jsonl"


def record(
    state_dir: Path, secret: str, at: datetime, by: str, number: int, notice: Notice, tags: Iterable[Tag]
) -> None:
    """Add who had what purged, or whom suppressed, and when. Raises OSError."""
    told = [visitor_tag(tag.removeprefix(VISITOR), secret) if tag.startswith(VISITOR) else tag for tag in tags]
    what = {"hard": notice.hard} if notice.kind == "purge" else {"kind": notice.kind}
    line = {"at": at.isoformat(timespec="seconds"), "by": by, "notice": number, "tags": told, **what}
    descriptor = os.open(state_dir / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        os.write(descriptor, json.dumps(line, ensure_ascii=False).encode() + b"\n")  # at once: lines never mingle
    finally:
        os.close(descriptor)
