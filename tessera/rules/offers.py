"""What rules can offer: calls to action, item lists, experiments with their holdouts, of all files."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from tessera.rules.ctas import read_cta
from tessera.rules.definitions import Definitions
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.experiments import assigned_fact, read_experiment
from tessera.rules.facts import LOCALE, PARAMETER, TELLABLE, TYPES, Attribute, Fact, FactType
from tessera.rules.holdouts import read_holdout
from tessera.rules.lists import read_list
from tessera.rules.literals import NOUNS
from tessera.rules.names import Broken, Noun, Unknown, look_up, unknown
from tessera.rules.ruleset import Cta, Experiment, ItemList
from tessera.rules.shape import Reader, sound
from tessera.rules.shares import Holdout
from tessera.rules.skeleton import Node, Scalar
from tessera.rules.source import Span

T = TypeVar("T")


class Offers:
    """Everything that outcomes and splits name; what is declared wrongly is there as None.

    `unread` names the files that cannot be read: whatever could stand in them is not complained of as unknown.
    """

    def __init__(self, definitions: Definitions, complaints: list[Diagnostic], unread: Collection[str] = ()) -> None:
        self.ctas: dict[str, Cta | None] = {}
        self.lists: dict[str, ItemList | None] = {}
        self.experiments: dict[str, Experiment | None] = {}
        self.holdouts: dict[str, Holdout | None] = {}
        self._covered: list[Scalar] = []
        self._definitions = definitions
        self._unread = unread
        self._complaints = complaints

    def read_ctas(self, reader: Reader, node: Node) -> None:
        locale = self._definitions.facts.get(LOCALE)
        locales = locale.one_of if locale else None
        for key, value in reader.new_entries(node, "CTA", self.ctas):
            self.ctas[key.value] = read_cta(reader, key, value, self._shared_fact, locales)

    def read_lists(self, reader: Reader, node: Node) -> None:
        for key, value in reader.new_entries(node, "list", self.lists):
            self.lists[key.value] = read_list(reader, key, value, self._shared_fact)

    def read_experiments(self, reader: Reader, node: Node) -> None:
        for key, value in reader.new_entries(node, "experiment", self.experiments):
            self.experiments[key.value] = read_experiment(reader, key, value, self.fact)

    def read_holdouts(self, reader: Reader, node: Node) -> None:
        for key, value in reader.new_entries(node, "holdout", self.holdouts):
            self.holdouts[key.value], covered = read_holdout(reader, key, value, self.fact)
            self._covered += covered

    def assigned(self) -> list[Fact]:
        """The facts that tell which arms of sticky experiments a visitor was first shown."""
        return [assigned_fact(experiment) for experiment in sound(self.experiments).values() if experiment.sticky]

    def resolve(self) -> None:
        """Look up the lists and experiments that are named, and tell experiments which holdouts cover them.

        To be called once, when all files are read.
        """
        for name in self._covered:
            self._check_named("experiment", name.value, name.span, self.experiments)
        running = [holdout for holdout in sound(self.holdouts).values() if holdout.status == "running"]
        for experiment in sound(self.experiments).values():
            covering = [each for each in running if each.covers is None or experiment.name in each.covers]
            self.experiments[experiment.name] = replace(experiment, holdouts=tuple(covering))
        for fact in self._definitions.facts.values():
            if fact.list is not None:
                self._check_named("list", fact.list, fact.span, self.lists)
            for attribute in fact.attributes:
                self._check_tellable(attribute)
        for each in sound(self.lists).values():
            if each.fallback is not None:
                self._check_named("list", each.fallback, each.span, self.lists)
                self._check_fallbacks(each)

    def named(self, noun: Noun, name: Scalar, known: Mapping[str, T | None]) -> T | None:
        """What an author named; None, with a complaint, when there is no such thing."""
        self._check_named(noun, name.value, name.span, known)
        return known.get(name.value)

    def fact(
        self, name: str, span: Span, types: Sequence[FactType], params: Mapping[str, Fact] | None = None
    ) -> Fact | None:
        """The fact that a text outside expressions names, on a page with `params`, of one of `types`.

        Complains when there is none, or it is of another type.
        """
        try:
            fact = look_up(name, span, self._definitions, params)
        except Unknown as error:
            self._complaints.append(error.diagnostic)
            return None
        except Broken:
            return None
        if fact.type not in types:
            message = f"`{name}` is {NOUNS[fact.type]}, not {' or '.join(NOUNS[each] for each in types)}"
            self._complaints.append(Diagnostic("R301", "error", message, span))
        return fact

    def _shared_fact(self, name: str, span: Span, types: Sequence[FactType]) -> Fact | None:
        """What is shared may name parameters; the pages that use it are checked for having them."""
        return None if name.startswith(PARAMETER) else self.fact(name, span, types)

    def _check_named(self, noun: Noun, name: str, span: Span, known: Collection[str]) -> None:
        if name not in known and f"{noun.lower()}s.yaml" not in self._unread:
            self._complaints.append(unknown(noun, name, span, known))

    def _check_tellable(self, attribute: Attribute) -> None:
        """Complain of what a flag service is to be told, where that is no fact, or one that comes too late."""
        fact = self.fact(attribute.fact, attribute.span, TYPES)
        if fact is not None and fact.source not in TELLABLE:
            wanted = " or ".join(TELLABLE)
            message = f"`{fact.name}` comes from {fact.source}; a flag service is told what comes from {wanted}"
            self._complaints.append(Diagnostic("R015", "error", message, attribute.span))

    def _check_fallbacks(self, first: ItemList) -> None:
        path = [first.name]
        while (found := self.lists.get(path[-1])) and found.fallback and found.fallback not in path:
            path.append(found.fallback)
        if found and found.fallback == first.name:
            shown = " → ".join(f"`{name}`" for name in (*path, first.name))
            message = f"a fallback goes in circles: {shown}"
            self._complaints.append(Diagnostic("R110", "error", message, first.span))
