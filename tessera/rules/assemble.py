"""All rule files of a site, as text → one checked ruleset, or everything that is wrong with it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from tessera.rules.diagnostics import Diagnostic, in_order
from tessera.rules.pages import read_page
from tessera.rules.proof.prove import prove_page, prove_shared
from tessera.rules.ruleset import Page, Ruleset
from tessera.rules.shape import Reader
from tessera.rules.shared import SHARED_FILES, Shared
from tessera.rules.skeleton import compose
from tessera.rules.source import Source


@dataclass(frozen=True, slots=True)
class Loaded:
    """The ruleset, None when anything is wrong with it; every complaint, by place; every file that could be read."""

    ruleset: Ruleset | None
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class _PageFile:
    """What a page's file says, None when not even its name can be told, and what is wrong with it."""

    source: Source
    page: Page | None
    complaints: tuple[Diagnostic, ...]


class Remembered:
    """What was made of the files of one site the last time, so that only what has changed is read again.

    A page is what its file and all shared files together make it; once one of these changes, all pages are read again.
    """

    def __init__(self) -> None:
        self._shared: Shared | None = None
        self._pages: dict[str, _PageFile] = {}
        self._proved: dict[str, tuple[Page, tuple[Diagnostic, ...]]] = {}

    def shared(self, sources: Sequence[Source], unread: Collection[str]) -> Shared:
        """What these shared files say; `unread` names those that cannot be read."""
        if self._shared is None or not self._shared.is_of(sources, unread):
            self._shared = Shared(sources, unread)
            self._pages.clear()
            self._proved.clear()
        return self._shared

    def pages(self, sources: Iterable[Source], shared: Shared) -> Sequence[_PageFile]:
        """What these files of pages say; any others are forgotten."""
        self._pages = {source.file: self._page(source, shared) for source in sources}
        return tuple(self._pages.values())

    def proved(self, ruleset: Ruleset) -> Iterator[Diagnostic]:
        """What can be proved of the rules; `ruleset` is of the files that were last read."""
        proved: dict[str, tuple[Page, tuple[Diagnostic, ...]]] = {}
        for name, page in ruleset.pages.items():
            known = self._proved.get(name)
            proved[name] = known if known and known[0] is page else (page, tuple(prove_page(ruleset, page)))
        self._proved = proved
        yield from prove_shared(ruleset)
        yield from (each for _, complaints in proved.values() for each in complaints)

    def _page(self, source: Source, shared: Shared) -> _PageFile:
        known = self._pages.get(source.file)
        return known if known is not None and known.source == source else _read_page_file(source, shared)


def assemble(sources: Sequence[Source], complaints: list[Diagnostic], remembered: Remembered | None = None) -> Loaded:
    """What the files say, in any order; `complaints` holds what was wrong with files that are not among `sources`.

    What is `remembered` of files that have not changed is used again, and what has changed is remembered.
    """
    remembered = remembered or Remembered()
    unread = {complaint.span.file.rpartition("/")[2] for complaint in complaints}
    of_all = [source for source in sources if source.name in SHARED_FILES]
    shared = remembered.shared(of_all, unread & SHARED_FILES.keys())
    files = remembered.pages([source for source in sources if source.name not in SHARED_FILES], shared)
    complaints += shared.complaints
    pages: dict[str, Page] = {}
    for file in files:
        complaints += file.complaints
        if file.page is not None and file.page.name in pages:
            message, label = f"page `{file.page.name}` is declared twice", f"first in {pages[file.page.name].span.file}"
            complaints.append(Diagnostic("R014", "error", message, file.page.span, label))
        elif file.page is not None:
            pages[file.page.name] = file.page
    broken = any(each.severity == "error" for each in complaints)
    ruleset = None if broken else shared.ruleset(digest(sources), pages)
    found = in_order(complaints if ruleset is None else [*complaints, *remembered.proved(ruleset)])
    return Loaded(ruleset, tuple(found), {source.file: source for source in sources})


def digest(sources: Sequence[Source]) -> str:
    """The version of a ruleset: a SHA-256 of the names and texts of its files, in hexadecimal."""
    hashed = sha256()
    for source in sorted(sources, key=lambda source: source.file):
        for part in (source.file, source.text):
            hashed.update(sha256(part.encode()).digest())
    return hashed.hexdigest()


def _read_page_file(source: Source, shared: Shared) -> _PageFile:
    complaints = shared.page_complaints()
    node = compose(source, complaints)
    page = None
    if node is not None:
        page = read_page(Reader(source, complaints), node, shared.definitions, shared.offers)
    return _PageFile(source, page, tuple(complaints))
