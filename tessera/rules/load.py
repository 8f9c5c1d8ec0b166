"""Rule files → ruleset: the only I/O of the rules language."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tessera.rules.assemble import Loaded, Remembered, assemble
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.skeleton import MAX_BYTES
from tessera.rules.source import Source, Span

SUFFIX = ".yaml"

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def load_ruleset(folder: Path, root: Path, remembered: Remembered | None = None) -> Loaded:
    """Read every `*.yaml` under `folder`; places in diagnostics are relative to `root`, the site folder.

    Whoever loads the same folder again and again hands in what is `remembered` of it; only edited files are then read.

    Never raises for what the files hold; a file that cannot be read is a complaint too.
    """
    with uncollected():
        return _load(folder, root, remembered)


@contextmanager
def uncollected() -> Iterator[None]:
    """Loading makes many objects and no cycles: looking for garbage among them would take a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _load(folder: Path, root: Path, remembered: Remembered | None) -> Loaded:
    complaints: list[Diagnostic] = []
    sources = [source for path in rule_files(folder) if (source := read_source(path, root, complaints))]
    if not sources and not complaints:
        complaints.append(_complaint("there are no rule files here", folder, root))
    return assemble(sources, complaints, remembered)


def rule_files(folder: Path) -> Iterator[Path]:
    """Rule files in a stable order; hidden files and folders are left alone."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if _is_rule_file(name))


def _is_rule_file(name: str) -> bool:
    return name.endswith((SUFFIX, ".yml")) and not name.startswith(".")


def read_source(path: Path, root: Path, complaints: list[Diagnostic]) -> Source | None:
    """A rule file, named relative to `root`; None, and a complaint, where it cannot be read."""
    try:
        text = _text(path)
    except ValueError as error:
        complaints.append(_complaint(str(error), path, root))
        return None
    return Source(_relative(path, root), text)


def _text(path: Path) -> str:
    """The text of a rule file, with line ends normalised; raises ValueError for what is none."""
    if path.suffix != SUFFIX:
        raise ValueError(f"rule files end in `{SUFFIX}`; rename this one")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"the file is larger than {MAX_BYTES >> 20} MiB")
    if content.startswith(_UTF_16):
        raise ValueError("the file is UTF-16; save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"the file is not UTF-8 from byte {error.start} on") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _complaint(message: str, path: Path, root: Path) -> Diagnostic:
    return Diagnostic("R001", "error", message, Span(_relative(path, root), 1, 1, 1))


def _relative(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()
