"""Reading files of situations."""

from pathlib import Path

from tessera.cli.site import fail
from tessera.rules.situations import Situation, read_situation


def read_situations(file: Path) -> list[Situation]:
    """All of a file, one a line; fails where one cannot be used."""
    return [_read(file, number, line) for number, line in enumerate(_lines(file), 1)]


def find_situation(place: str) -> Situation:
    """The situation that `FILE:LINE` names; of `FILE` alone the first."""
    name, _, line = place.rpartition(":")
    file, number = (Path(name), int(line)) if name and line.isdecimal() else (Path(place), 1)
    lines = _lines(file)
    if not 0 < number <= len(lines):
        fail(f"{file} has no line {number}")
    return _read(file, number, lines[number - 1])


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8")


def _read(file: Path, number: int, line: str) -> Situation:
    try:
        return read_situation(line)
    except ValueError as wrong:
        fail(f"{file}:{number}: {wrong}")
