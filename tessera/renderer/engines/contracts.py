"""What an author says that a template reads, in a comment, held against what it can read.

`{# reads: visitor.tier, items[].title #}` in Jinja; `{% # reads: … %}` or `{% comment %} reads: … {% endcomment %}` in
Liquid. A name stands for everything beneath it, `[]` for each element of a list, `nothing` for no input at all.
"""

import re
from collections.abc import Iterable, Iterator

from tessera.renderer.core.inputs import spelled
from tessera.renderer.core.paths import EACH, SIZE, Path
from tessera.renderer.engines.comments import Entry, entries
from tessera.rules.diagnostics import Diagnostic, did_you_mean
from tessera.rules.source import Span

NO_INPUTS = "nothing"

_PATH = re.compile(r"[A-Za-z_][\w-]*(?:\[\])?(?:\.[\w-]+(?:\[\])?)*")


def _path(entry: str) -> Path:
    return tuple(part for name in entry.split(".") for part in _parts(name))


def _parts(name: str) -> Iterator[str]:
    yield name.removesuffix(EACH)
    if name.endswith(EACH):
        yield EACH


def broken_contract(file: str, text: str, reads: Iterable[tuple[Path, Span]]) -> Iterator[Diagnostic]:
    """Yield what a template reads beyond its contract, what that names in vain, and what in it is no name.

    Nothing where the template has no contract.
    """
    stated = entries(file, text, "reads")
    if stated is None:
        return
    paths: dict[Path, Entry] = {}
    for entry in stated:
        if _PATH.fullmatch(entry.text):
            paths[_path(entry.text)] = entry
        else:
            help_text = "write names as `visitor.tier` or `items[].title`, with commas between"
            yield Diagnostic("T103", "error", f"`{entry.text}` is no name of an input", entry.span, help=help_text)
    kept: set[Path] = set()
    found = list(reads)
    for path, span in found:
        covering = {promised for promised in paths if _covers(promised, path)}
        kept |= covering | {promised for promised in paths if promised[: len(path)] == path}
        if not covering:
            help_text = (
                f"add `{spelled(path)}` to `reads:`" if path else "name what is taken in, or read, in the template"
            )
            what = f"`{spelled(path)}`" if path else "any input"
            yield Diagnostic(
                "T114", "error", f"the contract of `{file}` does not name {what}", span, "read here", help_text
            )
    for promised, entry in paths.items():
        if promised not in kept and promised != (NO_INPUTS,):
            close = did_you_mean(entry.text, (spelled(path) for path, _ in found))
            yield Diagnostic("T115", "warning", f"nothing here reads `{entry.text}`", entry.span, help=close)


def _covers(promised: Path, path: Path) -> bool:
    """Tell whether an entry allows a demand; one of a list's elements also allows to count them."""
    if path[-1:] == (SIZE,) and promised[: len(path)] == (*path[:-1], EACH):
        return True
    return promised == path[: len(promised)]
