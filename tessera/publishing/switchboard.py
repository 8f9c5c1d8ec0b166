"""What is switched off, in one file that every server of a site looks at."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path

from tessera.publishing.releases import replace_text
from tessera.rules.switches import Switch


@dataclass(frozen=True, slots=True)
class Thrown:
    """A switch that was thrown: what is off, and who did that, when (RFC 3339) and why."""

    what: dict[str, str | None]
    at: str
    by: str
    why: str

    @property
    def switch(self) -> Switch:
        """What is off."""
        return Switch(**self.what)


class Switchboard:
    """Reads and writes the file. Where there is none, nothing is off."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def thrown(self) -> list[Thrown]:
        """Return what is off, with its story. Raises OSError where that cannot be told."""
        try:
            return [Thrown(**each) for each in json.loads(self._file.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError) as broken:
            raise OSError(f"{self._file} is not what Tessera wrote: {broken}") from broken

    def switches(self) -> frozenset[Switch]:
        """Return what is off. Raises OSError."""
        return frozenset(each.switch for each in self.thrown())

    def put(self, thrown: Thrown) -> None:
        """Switch something off."""
        with self._locked():
            kept = [each for each in self.thrown() if each.switch != thrown.switch]
            self._write([*kept, thrown])

    def enable(self, switch: Switch) -> bool:
        """Switch something on again; tell whether it was off."""
        with self._locked():
            thrown = self.thrown()
            kept = [each for each in thrown if each.switch != switch]
            self._write(kept)
            return len(kept) < len(thrown)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time change what is off."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("w") as lock:
            flock(lock, LOCK_EX)
            yield

    def _write(self, thrown: list[Thrown]) -> None:
        replace_text(self._file, json.dumps([asdict(each) for each in thrown], indent=2) + "\n")
