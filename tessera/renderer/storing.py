"""Whether and how an answer may be stored downstream: by its scope, and by the digest that its request carries."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import inf

from tessera.renderer.core.tags import EVERYTHING, Tag
from tessera.renderer.digests import Budgets, Digests
from tessera.renderer.edge import DIGEST_HEADER, DIGEST_PARAMETER, NO_STORE, PRIVATE, VARY_ON_DIGEST, Edge
from tessera.renderer.pipeline import Answer
from tessera.renderer.plans import PagePlan, SlotPlan
from tessera.renderer.respond import Headers

Query = Callable[[], Mapping[str, str]]

STAND_IN_S = 2
"""How long a stand-in that was not made for anybody may live downstream: a failure then brings no stampede."""


REMEMBERED = 4096
SHARED = frozenset(("items", "catalogue"))
"""Sources whose answers are not a visitor's own, so that their tags may be shown to whoever shares an answer."""


class Storing:
    """Chooses the headers. ``max_age_s`` bounds every lifetime that is told, in seconds."""

    def __init__(self, edge: Edge, digests: Digests, budgets: Budgets, max_age_s: float) -> None:
        self._edge = edge
        self._digests = digests
        self._budgets = budgets
        self._max_age_s = max_age_s
        self._told = lru_cache(REMEMBERED)(self._labelled)
        self._unconfirmed = [*PRIVATE, VARY_ON_DIGEST] if edge.obeys_vary else PRIVATE

    def headers(
        self,
        version: str,
        plan: SlotPlan | PagePlan,
        answers: Mapping[str, Answer],
        sent: Mapping[bytes, bytes],
        query: Query,
        now_s: float,
    ) -> Headers:
        """Return them for an answer from the top of the ladder, of a site of this version."""
        if plan.scope == "public":
            max_age_s, horizon_s = min(plan.max_age_s, self._max_age_s), inf
            for answer in answers.values():
                max_age_s, horizon_s = min(max_age_s, answer.lifetime_s), min(horizon_s, answer.horizon_s)
            return self._edge.public(max_age_s, horizon_s) + self._labels(plan, answers)
        if plan.scope == "private" or not isinstance(plan, SlotPlan):
            return PRIVATE
        return self._by_digest(version, plan, answers, sent, query, now_s)

    def _by_digest(
        self,
        version: str,
        plan: SlotPlan,
        answers: Mapping[str, Answer],
        sent: Mapping[bytes, bytes],
        query: Query,
        now_s: float,
    ) -> Headers:
        """Return them for an answer that many share: an edge may keep it, if the request carries its digest."""
        (answer,) = answers.values()
        in_header = sent.get(DIGEST_HEADER) if self._edge.obeys_vary else None
        carried = query().get(DIGEST_PARAMETER, "") if in_header is None else in_header.decode("latin-1")
        if carried and self._confirms(version, plan, answer, carried, now_s):
            stored = self._edge.context(min(plan.max_age_s, self._max_age_s), inf) + self._labels(plan, answers)
            return [*stored, VARY_ON_DIGEST] if self._edge.obeys_vary else stored
        return self._unconfirmed

    def without_digest(self, plan: SlotPlan, answer: Answer) -> Headers:
        """Return the same for a request that carries no digest, which is all that most need."""
        if plan.scope == "public":
            max_age_s = min(plan.max_age_s, self._max_age_s, answer.lifetime_s)
            return self._edge.public(max_age_s, answer.horizon_s) + self._labels(plan, {plan.name: answer})
        return PRIVATE if plan.scope == "private" else self._unconfirmed

    def of_layout(
        self,
        version: str,
        plan: SlotPlan,
        answer: Answer,
        sent: Mapping[bytes, bytes],
        query: Query,
        now_s: float,
    ) -> Headers:
        """Return them for a layout that a proxy fills: it may keep the layout, but nobody after it the page."""
        if plan.scope == "private":
            return PRIVATE
        if plan.scope == "context":
            return self._by_digest(version, plan, {plan.name: answer}, sent, query, now_s)
        max_age_s = min(plan.max_age_s, self._max_age_s, answer.lifetime_s)
        return self._edge.context(max_age_s, answer.horizon_s) + self._labels(plan, {plan.name: answer})

    def of_stand_in(self, plan: SlotPlan | PagePlan, answers: Mapping[str, Answer]) -> Headers:
        """Return them for an answer from a lower rung; where it may depend on a visitor, so may the failure."""
        if plan.scope != "public":
            return NO_STORE
        max_age_s = min(STAND_IN_S, plan.max_age_s, self._max_age_s)
        return self._edge.public(max_age_s, horizon_s=max_age_s) + self._labels(plan, answers)

    def _labels(self, plan: SlotPlan | PagePlan, answers: Mapping[str, Answer]) -> Headers:
        """Return what tells an edge by which tags to purge an answer: those of all that it is made of."""
        page = plan.page if isinstance(plan, SlotPlan) else plan.name
        made_of: list[tuple[Tag, ...]] = []
        for answer in answers.values():
            made_of.append(answer.fragment.tags)
            made_of += [got.tags for source, _, got in answer.used if source in SHARED]
        return self._told(page, tuple(answers), tuple(made_of))

    def _labelled(self, page: str, names: tuple[str, ...], made_of: tuple[tuple[Tag, ...], ...]) -> Headers:
        return self._edge.labels(_tags(page, names, made_of))

    def _confirms(self, version: str, plan: SlotPlan, answer: Answer, carried: str, now_s: float) -> bool:
        """Tell whether a digest is that of this answer: stored under it, it is right for whoever carries it."""
        return self._digests.holds(carried, version, plan.page, plan.name, answer.key) and self._budgets.allow(
            version, plan, carried, now_s
        )


def _tags(page: str, names: tuple[str, ...], made_of: tuple[tuple[Tag, ...], ...]) -> tuple[Tag, ...]:
    """Return the tags of an answer, those first of which there are few."""
    place = (EVERYTHING, f"page:{page}", *(f"slot:{page}/{name}" for name in names))
    found = dict.fromkeys(tag for tags in made_of for tag in tags if not tag.startswith("visitor:"))
    return (*place, *sorted(found, key=lambda tag: tag.startswith("item:")))
