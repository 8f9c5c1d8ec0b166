"""Which templates take in which: names, cycles, depth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from tessera.renderer.engines.base import Reference
from tessera.renderer.engines.fragments import NESTED
from tessera.rules.diagnostics import Diagnostic, did_you_mean

PARTIALS = "partials/"


@dataclass(frozen=True, slots=True)
class Resolver:
    """Turns a name as a tag has it into that of a template: in full, without its suffix, or within `partials/`."""

    suffix: str
    names: frozenset[str]

    def __call__(self, name: str) -> str | None:
        for candidate in (name, name + self.suffix, PARTIALS + name, PARTIALS + name + self.suffix):
            if candidate in self.names:
                return candidate
        return None


class Graph:
    """What takes in what, over the templates that parse. `faulty` grows by those that `complaints` finds fault with."""

    def __init__(self, references: Mapping[str, tuple[Reference, ...]], resolvers: Mapping[str, Resolver]) -> None:
        """`resolvers` are those of each language, by the suffix of its templates."""
        self._references = references
        self._resolvers = resolvers
        self._edges = {name: tuple(self._resolved(name)) for name in references}
        self._faulty: set[str] = set()

    def closure(self, name: str) -> set[str]:
        """Return a template and all that it may take in: everything, where the data decides what that is."""
        found, left = {name}, [name]
        while left:
            for reference, target in self._edges[left.pop()]:
                fresh = set(self._edges) if reference.name is None else {target} if target in self._edges else set()
                left += fresh - found
                found |= fresh
        return found

    def sound(self) -> list[str]:
        """Return the templates without fault that take in none with one."""
        takers: dict[str, list[str]] = {}
        for name, edges in self._edges.items():
            for _, target in edges:
                takers.setdefault(target or "", []).append(name)
        faulty, left = set(self._faulty), list(self._faulty)
        while left:
            fresh = {taker for taker in takers.get(left.pop(), ()) if taker not in faulty}
            faulty |= fresh
            left += fresh
        return [name for name in self._edges if name not in faulty]

    def complaints(self, max_depth: int) -> Iterator[Diagnostic]:
        """Yield what is wrong with what templates take in."""
        for name, edges in self._edges.items():
            for reference, target in edges:
                complaint = self._missing(name, reference, target)
                if complaint is not None:
                    self._faulty.add(name)
                    yield complaint
        yield from self._includes_within_renders()
        yield from self._fragments_within_partials()
        depths: dict[str, int] = {}
        for name in self._edges:
            yield from self._descend(name, depths, max_depth)

    def _resolved(self, name: str) -> Iterator[tuple[Reference, str | None]]:
        for reference in self._references[name]:
            resolve = self._resolvers[PurePosixPath(name).suffix]
            nested = reference.tag == NESTED
            yield reference, reference.name if nested or reference.name is None else resolve(reference.name)

    def _missing(self, name: str, reference: Reference, target: str | None) -> Diagnostic | None:
        if target in self._edges or reference.name is None or (target is None and reference.optional):
            return None
        if target is not None:
            # It is there but does not parse, which is complained about where it does not.
            self._faulty.add(name)
            return None
        others = [resolve(reference.name) for resolve in self._resolvers.values()]
        if any(others):
            message = f"`{reference.name}` is in the other language; only plain files are shared by both"
            return Diagnostic("T107", "error", message, reference.span)
        known = self._resolvers[PurePosixPath(name).suffix].names
        help_text = did_you_mean(reference.name, known)
        return Diagnostic("T104", "error", f"there is no template `{reference.name}`", reference.span, help=help_text)

    def _includes_within_renders(self) -> Iterator[Diagnostic]:
        rendered = {target for edges in self._edges.values() for each, target in edges if each.tag == "render"}
        for name in self._edges.keys() & rendered:
            for reference, _ in self._edges[name]:
                if reference.tag == "include":
                    self._faulty.add(name)
                    message = "`include` is not allowed in a template that is taken in with `render`"
                    yield Diagnostic("T109", "error", message, reference.span, help="use `render` here too")

    def _fragments_within_partials(self) -> Iterator[Diagnostic]:
        taken_in = {target for edges in self._edges.values() for each, target in edges if each.tag != NESTED}
        for name in self._edges.keys() & taken_in:
            for reference, _ in self._edges[name]:
                if reference.tag == NESTED:
                    self._faulty.add(name)
                    message = "`fragment` is not allowed in a template that another takes in"
                    help_text = "put `fragment` around the tag that takes this template in"
                    yield Diagnostic("T116", "error", message, reference.span, help=help_text)

    def _descend(self, start: str, depths: dict[str, int], max_depth: int) -> Iterator[Diagnostic]:
        """Work out how deep everything below a template is taken in, and complain about cycles on the way.

        Depth first, without recursion: chains may be as long as there are files.
        """
        path, edges = [start], [iter(self._edges[start])] if start not in depths else []
        while edges:
            step = next(edges[-1], None)
            name = path[-1]
            if step is None:
                depths[name] = 1 + max((depths.get(target or "", 0) for _, target in self._edges[name]), default=0)
                path.pop()
                edges.pop()
                if depths[name] == max_depth + 1:
                    self._faulty.add(name)
                    message = f"templates take one another in more than {max_depth} deep"
                    yield Diagnostic("T106", "error", message, self._references[name][0].span)
                continue
            reference, target = step
            if target is None or target not in self._edges or target in depths:
                continue
            if target in path:
                circle = [*path[path.index(target) :], target]
                self._faulty.update(circle)
                message = "a template takes itself in: " + " → ".join(f"`{each}`" for each in circle)
                yield Diagnostic("T105", "error", message, reference.span)
                continue
            path.append(target)
            edges.append(iter(self._edges[target]))
