"""What templates read, told to whoever writes them: each path with its place, and what follows wherever it is shown."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from tessera.renderer.core.inputs import spelled
from tessera.renderer.core.scope import Scope
from tessera.renderer.engines.base import Template
from tessera.renderer.site import Site
from tessera.rules.source import Span

TOLD = 5
"""Questions that are told to people; the others are counted."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One way in which a slot shows a template: who may share it, and what its key is made of.

    ``asked`` is what is in the key only as an answer.
    """

    slot: str
    scope: Scope
    key: tuple[str, ...]
    asked: tuple[str, ...]

    def to_text(self) -> str:
        """Tell it to people."""
        lines = [f"  {self.slot}: {self.scope}, key: {', '.join(self.key) or 'nothing'}"]
        if self.asked:
            more = [f"{len(self.asked) - TOLD} more"] if len(self.asked) > TOLD else []
            lines.append(f"    only as an answer: {', '.join([*self.asked[:TOLD], *more])}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Account:
    """One template: what it reads, each with the first place that does, which others take it in, where it is shown."""

    template: str
    version: str
    reads: tuple[tuple[str, Span], ...]
    taken_in_by: tuple[str, ...]
    shown: tuple[Shown, ...]

    def to_text(self) -> str:
        """Tell it to people."""
        width = max((len(path) for path, _ in self.reads), default=0)
        reads = [f"  reads {path:<{width}}  {span.file}:{span.line}:{span.column}" for path, span in self.reads]
        shown = [each.to_text() for each in self.shown]
        within = [f"  taken in by {name}" for name in self.taken_in_by]
        return "\n".join([self.template, *(reads or ["  reads nothing"]), *shown, *within])

    def to_json(self) -> dict[str, object]:
        """Tell it to programs."""
        reads = [{"path": path, **span._asdict()} for path, span in self.reads]
        return {**asdict(self), "reads": reads}


def accounts(site: Site, names: Iterable[str]) -> Iterator[Account]:
    """Yield the account of each of these templates, which the site has."""
    for name in names:
        template = site.catalog.templates[name]
        reads = tuple((spelled(path) or "everything", span) for path, span in template.reads)
        shown = tuple(dict.fromkeys(_shown(site, template)))
        takers = tuple(sorted(each.name for each in site.catalog.templates.values() if name in each.takes_in))
        yield Account(name, template.version, reads, takers, shown)


def _shown(site: Site, template: Template) -> Iterator[Shown]:
    for page in site.pages.values():
        for plan in page.plans:
            for outcome in plan.outcomes.values():
                if outcome.template is template:
                    yield Shown(f"{plan.page}/{plan.name}", outcome.scope, outcome.inputs.parts, outcome.inputs.asked)
