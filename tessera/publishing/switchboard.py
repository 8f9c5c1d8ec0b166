"""What is switched off, in one file that every server of a site looks at."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
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

    def disable(self, switch: Switch, at: datetime, by: str, why: str) -> None:
        """Switch something off."""
        kept = [each for each in self.thrown() if each.switch != switch]
        self._write([*kept, Thrown(switch._asdict(), at.isoformat(), by, why)])

    def enable(self, switch: Switch) -> bool:
        """Switch something on again; tell whether it was off."""
        thrown = self.thrown()
        kept = [each for each in thrown if each.switch != switch]
        self._write(kept)
        return len(kept) < len(thrown)

    def _write(self, thrown: list[Thrown]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        replace_text(self._file, json.dumps([asdict(each) for each in thrown], indent=2) + "\n")
