"""Purges: what is no longer true goes from the inputs first, then from the fragments."""

from collections.abc import Callable, Collection, Iterable, Iterator

from tessera.renderer.core.tags import EVERYTHING, Tag, template_tag
from tessera.renderer.fragments import Fragments
from tessera.renderer.plans import OutcomePlan, SlotPlan
from tessera.renderer.site import Site
from tessera.renderer.sources import Sources


class Purges:
    """Purges in one process. The order matters: a fragment made anew between the two must not be made of old inputs."""

    def __init__(self, sources: Sources, fragments: Fragments, site: Callable[[], Site | None] = lambda: None) -> None:
        """``site`` gives the one that is served: it knows the templates of a slot or page."""
        self._sources = sources
        self._fragments = fragments
        self._site = site

    def purge(self, tags: Collection[Tag], *, hard: bool) -> int:
        """Purge what carries one of the tags: soft, inputs lose what is left of their fresh life; hard, they go.

        Returns how many fragments were dropped.
        """
        self._sources.purge(tags, hard=hard)
        site = self._site()
        shown = templates_of(site, tags) if site is not None else ()
        return self._fragments.purge(frozenset((*tags, *shown)))

    def drop(self) -> None:
        """Let go of all inputs and fragments: for a process that cannot tell what it has missed."""
        self.purge((EVERYTHING,), hard=True)


def templates_of(site: Site, tags: Iterable[Tag]) -> Iterator[Tag]:
    """Yield the tags of all templates that slots and pages among these tags may show.

    A fragment does not know where it is shown: many slots may show the same.
    """
    wanted = frozenset(tags)
    for page in site.pages.values():
        for plan in page.plans:
            if not wanted.isdisjoint(plan.tags):
                yield from _templates(plan)


def _templates(plan: SlotPlan) -> Iterator[Tag]:
    outcomes = list[OutcomePlan](plan.outcomes.values())
    while outcomes:
        outcome = outcomes.pop()
        outcomes += outcome.nested.values()
        if outcome.template is not None:
            yield template_tag(outcome.template.name)
