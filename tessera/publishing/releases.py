"""Releases: immutable copies of what authors wrote for a site, each named by its content, one of them live.

    releases/
      1f0c…9a/            rules/, templates/ and locales/ as they were published
      live                the name of the release that is served
      history.jsonl       who published or rolled back what, when, why, and what changed, a line each

Everything is plain text, so that the folder can also be kept in git. The name in `live` is replaced in one step: a
server sees the old release or the new one, never half of one.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from difflib import unified_diff
from fcntl import LOCK_EX, flock
from pathlib import Path
from tempfile import mkdtemp
from typing import Literal

PARTS = ("rules", "templates", "locales")
"""The folders of a site that a release holds; the last need not be there."""

LIVE = "live"
HISTORY = "history.jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of what is live. ``at`` is RFC 3339; ``diff`` is unified, as `diff -u` and git write it."""

    action: Literal["publish", "rollback"]
    version: str
    previous: str | None
    at: str
    by: str
    why: str
    diff: str


class ReleaseError(Exception):
    """What was asked cannot be done; the message says why, in words for whoever asked."""


class Releases:
    """The releases in one folder. Several people and servers may work with it at once."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when the first release is."""
        self.folder = folder

    def live(self) -> str | None:
        """Return the name of the release that is served, None before the first."""
        try:
            return (self.folder / LIVE).read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None

    def path(self, version: str) -> Path:
        """Return the folder of a release, given its name or the beginning of it. Raises `ReleaseError`."""
        found = [name for name in self.versions() if name.startswith(version)] if version else []
        if len(found) != 1:
            problem = "there is no release" if not found else "several releases begin with"
            raise ReleaseError(f"{problem} `{version}`")
        return self.folder / found[0]

    def versions(self) -> list[str]:
        """Return the names of all releases."""
        return sorted(each.name for each in self.folder.glob("[0-9a-f]*") if each.is_dir())

    def history(self) -> list[Entry]:
        """Return what was done, the oldest first."""
        try:
            lines = (self.folder / HISTORY).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [Entry(**json.loads(line)) for line in lines]

    def publish(self, site: Path, prove: Callable[[Path], str], at: datetime, by: str, why: str) -> Entry:
        """Make what stands in a site folder the live release.

        ``prove`` is called with a copy that nobody edits any more; it returns the version of the site in it, or raises,
        and then nothing has happened. Raises `ReleaseError` where that version is live already.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        copy = Path(mkdtemp(prefix=".new-", dir=self.folder))
        try:
            for part in PARTS:
                if part != PARTS[-1] or (site / part).exists():
                    shutil.copytree(site / part, copy / part)
            version = prove(copy)
            with self._locked():
                previous = self.live()
                if version == previous:
                    raise ReleaseError(f"{version[:12]} is live already: nothing has changed")
                release = self.folder / version
                if not release.exists():
                    copy.chmod(0o755)
                    copy.rename(release)
                return self._go_live(Entry("publish", version, previous, at.isoformat(), by, why, ""))
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    def rollback(self, version: str | None, at: datetime, by: str, why: str) -> Entry:
        """Make an earlier release live again: the one named, or the one that was live before this.

        Raises `ReleaseError`.
        """
        with self._locked():
            live = self.live()
            if version is None:
                version = next((each.previous for each in reversed(self.history()) if each.version == live), None)
                if version is None:
                    raise ReleaseError("there is no earlier release to go back to")
            target = self.path(version).name
            if target == live:
                raise ReleaseError(f"{target[:12]} is live already")
            return self._go_live(Entry("rollback", target, live, at.isoformat(), by, why, ""))

    def difference(self, old: str | None, new: str) -> str:
        """Return what changed between two releases, as a unified diff; all is new where there is no old one."""
        before = _texts(self.folder / old) if old else {}
        after = _texts(self.folder / new)
        lines: list[str] = []
        for file in sorted(before.keys() | after.keys()):
            lines += unified_diff(before.get(file, []), after.get(file, []), f"a/{file}", f"b/{file}", lineterm="")
        return "\n".join(lines)

    def _go_live(self, entry: Entry) -> Entry:
        known = entry.previous if entry.previous and (self.folder / entry.previous).exists() else None
        entry = Entry(**{**asdict(entry), "diff": self.difference(known, entry.version)})
        with (self.folder / HISTORY).open("a", encoding="utf-8") as history:
            history.write(json.dumps(asdict(entry)) + "\n")
        replace_text(self.folder / LIVE, entry.version + "\n")
        return entry

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one publisher at a time decide what is live."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            flock(lock, LOCK_EX)
            yield


def replace_text(file: Path, text: str) -> None:
    """Write a file so that whoever reads it sees the old text or the new one, and a crash leaves one of them."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    with new.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)


def _texts(release: Path) -> Mapping[str, list[str]]:
    """Return the lines of every file of a release; what is no text is one line that says so."""
    texts = {}
    for part in PARTS:
        for file in sorted((release / part).rglob("*")):
            if file.is_file():
                try:
                    lines = file.read_text(encoding="utf-8").splitlines()
                except UnicodeDecodeError:
                    lines = [f"(not text: {file.stat().st_size} bytes)"]
                texts[str(file.relative_to(release))] = lines
    return texts
