"""Reading template files: which there are, and whether they are text of a bearable size."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tessera.renderer.engines.base import Limits
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.source import Span

PLAIN_SUFFIXES = (".css", ".html", ".js", ".svg", ".txt")
"""Kinds of files that both languages can take in as they are."""


@dataclass(slots=True)
class TemplateFiles:
    """The texts that could be read, by path below the folder, and complaints about the others."""

    texts: dict[str, str] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def read_files(folder: Path, limits: Limits, parsed: Iterable[str]) -> TemplateFiles:
    """Read every file below a folder, except hidden ones. `parsed` are the suffixes of files that will be parsed."""
    files = TemplateFiles()
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        span = Span(f"{folder.name}/{name}", 1, 1, 1)
        if path.suffix in parsed:
            limit = limits.source_bytes
        elif path.suffix in PLAIN_SUFFIXES:
            limit = limits.output_bytes
        else:
            message = f"`{path.name}` is no template and no kind of file that templates take in"
            files.diagnostics.append(Diagnostic("T108", "warning", message, span))
            continue
        with path.open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            message = f"the file is larger than {limit:,} bytes"
            files.diagnostics.append(Diagnostic("T102", "error", message, span))
            continue
        decoded = _decode(data, span)
        if isinstance(decoded, Diagnostic):
            files.diagnostics.append(decoded)
        else:
            files.texts[name] = decoded
    return files


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _decode(data: bytes, span: Span) -> str | Diagnostic:
    """Return the text, its line ends normalised and without a byte order mark, or what is wrong with it."""
    try:
        text = data.decode("utf-8-sig")
        index, problem = text.find("\0"), "the file holds a NUL character"
    except UnicodeDecodeError as error:
        text = data[: error.start].decode("utf-8", "replace")
        index, problem = len(text), "the file is not in UTF-8"
    if index < 0:
        return text.replace("\r\n", "\n").replace("\r", "\n")
    before = text[:index].splitlines(keepends=True)
    unfinished = before and not before[-1].endswith(("\n", "\r"))
    line = max(1, len(before) if unfinished else len(before) + 1)
    column = len(before[-1]) + 1 if unfinished else 1
    return Diagnostic("T101", "error", problem, Span(span.file, line, column, column + 1))
