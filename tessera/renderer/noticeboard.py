"""The notice board of one machine: a log that its processes append to, and the sequence that says how far it goes.

    notices/
      log.jsonl     the first line names the log and the number after which it begins; then one notice a line
      sequence      the number of the last notice, mapped by all processes

A notice is on disk before its number shows. A log that has grown is cut in half: who has not read so far has missed
something, and is told so.
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from tessera.renderer.core.notices import Notice
from tessera.renderer.sequence import Sequence

FOLDER = "notices"
MAX_BYTES = 262_144


class Missed(Exception):
    """There may have been notices that can no longer be read."""


class Noticeboard:
    """The board in a state folder, made if missing. Many processes may use it at once."""

    def __init__(self, state_dir: Path, max_bytes: int = MAX_BYTES) -> None:
        """Raises OSError."""
        self.folder = state_dir / FOLDER
        self._max_bytes = max_bytes
        self._log = self.folder / "log.jsonl"
        self.renew()

    def renew(self) -> None:
        """Read on the board that is there now, from here on. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self._sequence = Sequence(self.folder / "sequence")
            self.cell = self._sequence.cell
            self.name, after, lines = self._begun()
            self.cell[0] = max(self.cell[0], _last(after, lines))

    @property
    def number(self) -> int:
        """The number of the last notice, 0 before the first."""
        return self.cell[0]

    def append(self, *notices: Notice) -> int:
        """Put up notices and return the number of the last. They are on disk then. Raises OSError."""
        if not self.is_in_place():
            self.renew()
        with self._locked():
            name, after, lines = self._begun()
            number = max(self.cell[0], _last(after, lines))
            content = b""
            for notice in notices:
                number += 1
                content += f"{number} {notice.to_json()}\n".encode()
            if sum(map(len, lines)) + len(content) > self._max_bytes:
                kept = lines[len(lines) // 2 + 1 :]
                self._write(name, _number(kept[0]) - 1 if kept else number - len(notices), kept)
            with self._log.open("r+b") as log:
                log.seek(_whole(log.read()))  # over whatever a process that died left half written
                log.truncate()
                log.write(content)
                log.flush()
                os.fsync(log.fileno())
            self.cell[0] = number
        return number

    def since(self, number: int) -> list[tuple[int, Notice]]:
        """Return the notices after a number, the oldest first. Raises `Missed`, also where the log cannot be read."""
        try:
            name, after, lines = self._read()
            if name != self.name or number < after:
                raise Missed(f"the log begins after notice {after}")
            fresh: list[tuple[int, Notice]] = []
            for line in reversed(lines):
                if _number(line) <= number:
                    break
                fresh.append((_number(line), Notice.read(line.partition(b" ")[2])))
        except (OSError, ValueError, KeyError) as broken:
            raise Missed(f"the log cannot be read: {broken}") from broken
        return fresh[::-1]

    def is_in_place(self) -> bool:
        """Tell whether this is still the board that others use: somebody may have deleted its files."""
        return self._sequence.is_in_place()

    def close(self) -> None:
        """Let go of its files."""
        self._sequence.close()

    def _begun(self) -> tuple[str, int, list[bytes]]:
        """Read the log, after beginning another one where it is not there or is not one."""
        try:
            return self._read()
        except (FileNotFoundError, ValueError, KeyError):
            self._write(secrets.token_hex(8), self.cell[0], [])
            return self._read()

    def _read(self) -> tuple[str, int, list[bytes]]:
        """Return the log's name, the number after which it begins, and its whole lines."""
        content = self._log.read_bytes()
        head, *lines = content[: _whole(content)].splitlines(keepends=True)
        said = json.loads(head)
        return said["log"], said["after"], lines

    def _write(self, name: str, after: int, lines: list[bytes]) -> None:
        """Replace the log in one step: who reads it sees the old one or the new one."""
        new = self._log.with_suffix(".new")
        new.write_bytes(json.dumps({"log": name, "after": after}).encode() + b"\n" + b"".join(lines))
        new.replace(self._log)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time write."""
        with (self.folder / ".lock").open("w") as lock:
            flock(lock, LOCK_EX)
            yield


def _whole(content: bytes) -> int:
    """Return the length of what ends in a line's end."""
    return content.rfind(b"\n") + 1


def _number(line: bytes) -> int:
    return int(line.partition(b" ")[0])


def _last(after: int, lines: list[bytes]) -> int:
    return _number(lines[-1]) if lines else after
