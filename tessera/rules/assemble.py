"""All rule files of a site, as text → one checked ruleset, or everything that is wrong with it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from tessera.rules.declare import ITEM_FIELD, read_declarations
from tessera.rules.definitions import Definitions
from tessera.rules.diagnostics import Diagnostic, in_order
from tessera.rules.facts import Fact
from tessera.rules.offers import Offers
from tessera.rules.pages import read_page
from tessera.rules.ruleset import Page, Ruleset
from tessera.rules.shape import Reader, sound
from tessera.rules.skeleton import Node, compose
from tessera.rules.source import Source

# The top-level keys of the files that are recognised by name; every other file is a page.
SHARED_FILES: Mapping[str, Sequence[str]] = {
    "facts.yaml": ("facts", "item"),
    "segments.yaml": ("segments",),
    "conditions.yaml": ("conditions",),
    "ctas.yaml": ("ctas",),
    "lists.yaml": ("lists",),
    "experiments.yaml": ("experiments", "holdouts"),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The ruleset, None when anything is wrong with it; every complaint, by place; every file that could be read."""

    ruleset: Ruleset | None
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]


def assemble(sources: Sequence[Source], complaints: list[Diagnostic]) -> Loaded:
    """What the files say, in any order; `complaints` holds what was wrong with files that are not among `sources`."""
    ruleset = _Assembly(complaints).ruleset(sources)
    found = in_order(complaints)
    broken = any(each.severity == "error" for each in found)
    return Loaded(None if broken else ruleset, tuple(found), {source.file: source for source in sources})


def digest(sources: Sequence[Source]) -> str:
    """The version of a ruleset: a SHA-256 of the names and texts of its files, in hexadecimal."""
    hashed = sha256()
    for source in sorted(sources, key=lambda source: source.file):
        for part in (source.file, source.text):
            hashed.update(sha256(part.encode()).digest())
    return hashed.hexdigest()


class _Assembly:
    """Reads what is shared before what refers to it, whatever file it stands in."""

    def __init__(self, complaints: list[Diagnostic]) -> None:
        self._complaints = complaints
        self._shared: defaultdict[str, list[tuple[Reader, Node]]] = defaultdict(list)
        self._page_files: list[tuple[Reader, Node]] = []
        self._unread = {_name(complaint.span.file) for complaint in complaints}
        self._item_fields: dict[str, Fact | None] = {}

    def ruleset(self, sources: Sequence[Source]) -> Ruleset:
        for source in sources:
            self._sort(source)
        definitions = Definitions(self._complaints, self._unread)
        self._read("facts", definitions.read_facts)
        self._read("item", self._read_item)
        self._read("segments", definitions.read_segments)
        self._read("conditions", definitions.read_conditions)
        definitions.resolve()
        offers = Offers(definitions, self._complaints, self._unread)
        self._read("ctas", offers.read_ctas)
        self._read("lists", offers.read_lists)
        self._read("experiments", offers.read_experiments)
        self._read("holdouts", offers.read_holdouts)
        offers.resolve()
        return Ruleset(
            version=digest(sources),
            facts={**definitions.facts, **{fact.name: fact for fact in offers.assigned()}},
            computed=definitions.computed,
            item_fields=sound(self._item_fields),
            segments=definitions.segments,
            ctas=sound(offers.ctas),
            lists=sound(offers.lists),
            experiments=sound(offers.experiments),
            pages=self._pages(definitions, offers),
            holdouts=sound(offers.holdouts),
        )

    def _sort(self, source: Source) -> None:
        """Note the parts of a file under the key that they stand under, or the whole file as a page."""
        reader, name = Reader(source, self._complaints), _name(source.file)
        node = compose(source, self._complaints)
        if node is None:
            self._unread.add(name)
        elif name not in SHARED_FILES:
            self._page_files.append((reader, node))
        elif (fields := reader.fields(node, "this file", SHARED_FILES[name])) is not None:
            for key, value in fields.nodes.items():
                self._shared[key].append((reader, value))

    def _read(self, key: str, read: Callable[[Reader, Node], None]) -> None:
        for reader, node in self._shared[key]:
            read(reader, node)

    def _read_item(self, reader: Reader, node: Node) -> None:
        self._item_fields |= read_declarations(reader, node, "`item`", ITEM_FIELD)

    def _pages(self, definitions: Definitions, offers: Offers) -> dict[str, Page]:
        pages: dict[str, Page] = {}
        for reader, node in self._page_files:
            page = read_page(reader, node, definitions, offers)
            if page is not None and page.name in pages:
                label = f"first in {pages[page.name].span.file}"
                reader.complain("R014", f"page `{page.name}` is declared twice", page.span, label)
            elif page is not None:
                pages[page.name] = page
        return pages


def _name(file: str) -> str:
    return file.rpartition("/")[2]
