"""`GET /context/{page}`: what an edge asks once for each visitor, page and parameters, to know which copies are theirs.

The answer is one header, `Tessera-Context` (a dictionary, RFC 9651): for each slot, and for `layout`, its digest, or
the word `public` where all share one copy, or `private` where nobody does.
"""

import asyncio
from collections.abc import Iterable, Mapping

from tessera.renderer.core.context import PLACE_HEADERS
from tessera.renderer.core.device import HINTS
from tessera.renderer.core.tags import EVERYTHING
from tessera.renderer.digests import Budgets, Digests
from tessera.renderer.edge import PRIVATE, Edge
from tessera.renderer.gather import Asked
from tessera.renderer.pipeline import Answer, Pipeline
from tessera.renderer.plans import PagePlan, SlotPlan
from tessera.renderer.respond import Headers, Response
from tessera.renderer.site import Site

TOLD_BY: Mapping[str, Iterable[bytes]] = {
    "device": HINTS,
    "geo": (b"x-tessera-edge-secret", *PLACE_HEADERS.values()),
    "locale": (b"accept-language",),
    "cart": (b"x-tessera-cart",),
}
"""The request headers that tell facts, by the first part of the facts' names; what else is told, cookies tell."""

ALWAYS = (b"cookie", b"sec-gpc", b"x-tessera-visitor", b"x-tessera-edge-secret")


class Handshake:
    """Answers it. ``max_age_s`` bounds how long an edge may go by one answer, in seconds."""

    def __init__(self, edge: Edge, digests: Digests, budgets: Budgets, max_age_s: float) -> None:
        self._edge = edge
        self._digests = digests
        self._budgets = budgets
        self._max_age_s = max_age_s

    async def answer(self, pipeline: Pipeline, asked: Asked, site: Site, page: PagePlan) -> Response:
        """Decide every slot that has a digest, the page's layout among them, and tell the digests."""
        plans = [plan for plan in page.plans if plan.scope == "context"]
        answers = await asyncio.gather(*(pipeline.slot(asked, plan) for plan in plans))
        digests = {
            plan.name: self._word(asked, site, plan, answer) for plan, answer in zip(plans, answers, strict=True)
        }
        words = [f"{plan.name}={digests.get(plan.name, plan.scope)}" for plan in page.plans]
        lifetime_s = min([self._max_age_s, *(each.lifetime_s for each in answers if each.rung == "fresh")])
        caching = self._edge.context(lifetime_s, horizon_s=lifetime_s) + self._labels(asked, page)
        if not pipeline.hold(answers):
            caching = PRIVATE
        told = (b"tessera-context", ", ".join(words).encode())
        return Response(204, [*caching, (b"vary", b", ".join(told_by(plans)).title()), told])

    def _labels(self, asked: Asked, page: PagePlan) -> Headers:
        """Return what tells the edge by which tags to purge this: nobody's id, but a digest of it."""
        place = (EVERYTHING, f"page:{page.name}")
        visitor_id = asked.context.visitor.id
        return self._edge.labels((*place, self._digests.visitor(visitor_id)) if visitor_id is not None else place)

    def _word(self, asked: Asked, site: Site, plan: SlotPlan, answer: Answer) -> str:
        if answer.rung != "fresh":
            return "private"
        digest = self._digests.of(site.version, plan.page, plan.name, answer.key)
        return digest if self._budgets.allow(site.version, plan, digest, asked.now.timestamp()) else "private"


def told_by(plans: Iterable[SlotPlan]) -> list[bytes]:
    """Return the request headers that may change what these slots show, sorted."""
    plans = {each.name: each for plan in plans for each in (plan, *plan.before)}.values()
    facts = {fact.name for plan in plans for fact in plan.reads}
    facts |= {name for plan in plans for outcome in plan.outcomes.values() for name in outcome.values}
    roots = {name.split(".")[0] for name in facts}
    return sorted({*ALWAYS, *(header for root in roots for header in TOLD_BY.get(root, ()))})
