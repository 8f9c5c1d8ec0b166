"""What all pages share: facts, segments, conditions, CTAs, lists and experiments, of the files known by their names."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from tessera.rules.declare import ITEM_FIELD, read_declarations
from tessera.rules.definitions import Definitions
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.facts import Fact
from tessera.rules.offers import Offers
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


class Shared:
    """Reads what is referred to before what refers to it, whatever file it stands in."""

    def __init__(self, sources: Sequence[Source], unread: Collection[str]) -> None:
        """`unread` names the files that cannot be read: what could stand in them is not complained of as unknown."""
        self._key = (tuple(sources), frozenset(unread))
        self._complaints: list[Diagnostic] = []
        self._unread = set(unread)
        self._nodes: defaultdict[str, list[tuple[Reader, Node]]] = defaultdict(list)
        for source in sources:
            self._sort(source)
        self._item_fields: dict[str, Fact | None] = {}
        self.definitions = Definitions(self._complaints, self._unread)
        self._read("facts", self.definitions.read_facts)
        self._read("item", self._read_item)
        self._read("segments", self.definitions.read_segments)
        self._read("conditions", self.definitions.read_conditions)
        self.definitions.resolve()
        self.offers = Offers(self.definitions, self._complaints, self._unread)
        self._read("ctas", self.offers.read_ctas)
        self._read("lists", self.offers.read_lists)
        self._read("experiments", self.offers.read_experiments)
        self._read("holdouts", self.offers.read_holdouts)
        self.offers.resolve()
        self.complaints = tuple(self._complaints)

    def is_of(self, sources: Sequence[Source], unread: Collection[str]) -> bool:
        """Whether this is what these files say."""
        return self._key == (tuple(sources), frozenset(unread))

    def page_complaints(self) -> list[Diagnostic]:
        """The list, emptied, that complaints about a page go to while it is read."""
        self._complaints.clear()
        return self._complaints

    def ruleset(self, version: str, pages: Mapping[str, Page]) -> Ruleset:
        """All of this with the pages that are built on it."""
        return Ruleset(
            version=version,
            facts={**self.definitions.facts, **{fact.name: fact for fact in self.offers.assigned()}},
            computed=self.definitions.computed,
            item_fields=sound(self._item_fields),
            segments=self.definitions.segments,
            ctas=sound(self.offers.ctas),
            lists=sound(self.offers.lists),
            experiments=sound(self.offers.experiments),
            pages=pages,
            conditions=self.definitions.macros,
            holdouts=sound(self.offers.holdouts),
        )

    def _sort(self, source: Source) -> None:
        """Note the parts of a file under the key that they stand under."""
        reader = Reader(source, self._complaints)
        node = compose(source, self._complaints)
        if node is None:
            self._unread.add(source.name)
        elif (fields := reader.fields(node, "this file", SHARED_FILES[source.name])) is not None:
            for key, value in fields.nodes.items():
                self._nodes[key].append((reader, value))

    def _read(self, key: str, read: Callable[[Reader, Node], None]) -> None:
        for reader, node in self._nodes[key]:
            read(reader, node)

    def _read_item(self, reader: Reader, node: Node) -> None:
        self._item_fields |= read_declarations(reader, node, "`item`", ITEM_FIELD)
