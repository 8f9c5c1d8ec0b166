"""The pipeline: visitor, decide, demanded lists, inputs, cache, render. The whole flow of a request, in order.

What waits, waits here. Everything it calls is either pure or an input behind `sources`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from math import inf
from typing import Any, NamedTuple, get_args

from tessera.renderer.budget import spending
from tessera.renderer.cache.base import FALL_BACK, Fragment
from tessera.renderer.compositions import Compositions
from tessera.renderer.core.errors import SourceError
from tessera.renderer.core.freshness import seconds_until
from tessera.renderer.core.inputs import Gathered, Items, digest
from tessera.renderer.core.layout import compose, nested_in, with_head
from tessera.renderer.core.needs import Needs
from tessera.renderer.engines.base import RenderError
from tessera.renderer.fragments import Fragments, rendered
from tessera.renderer.gather import Asked, Gatherer, Known, Refused, Rung, problem
from tessera.renderer.plans import OutcomePlan, SlotPlan
from tessera.renderer.recording import Recorder
from tessera.renderer.remembered import Got
from tessera.renderer.tally import (
    AGE_S,
    DECISIONS,
    FAILED_RULES,
    FALLBACKS,
    MISFITS,
    RENDER_FAILURES,
    SHED,
    Found,
    Tally,
)
from tessera.renderer.timing import Timing
from tessera.rules.evaluate import Decision, Reason

EMPTY = Fragment.of(b"")
OVERLOAD = "overload"
"""The problem of an answer that was made without asking anybody, to shed load."""
FOUND: Sequence[Found] = get_args(Found)
"""Where fragments are found, the nearest first."""
DECIDED = dict(DECISIONS.at)
"""The cells of reasons; a plain dictionary, as that is the quickest to look into."""
Rungs = Callable[[Asked, SlotPlan, Known], Awaitable["Answer"]]
log = logging.getLogger("tessera")


class Answer(NamedTuple):
    """A slot's fragment and how it came about.

    ``rung`` says how far down the ladder it is: as it should be, from inputs past their fresh life, the slot's
    default, or nothing. ``lifetime_s`` is how long the same request is sure to get the same answer: 0 or more,
    possibly infinite; ``horizon_s`` the same as far as only time is asked. ``problems`` name what failed, without any
    visitor's data. ``found`` says where its fragment was, the farthest of those nested in it counting; None where none
    was looked up. ``shown`` are the items that its template was handed, ``left_out`` the ids of those that it was not,
    as slots before it show them. ``used`` are the inputs: source, what, and what it was; ``purges`` counts those from
    before.
    """

    fragment: Fragment
    decision: Decision
    rung: Rung
    lifetime_s: float
    problems: tuple[str, ...] = ()
    key: bytes | None = None
    found: Found | None = None
    horizon_s: float = inf
    shown: tuple[Items | None, Items | None] = (None, None)
    left_out: frozenset[str] = frozenset()
    used: Sequence[tuple[str, str, Got[Any]]] = ()
    purges: int = -1


Others = dict[str, "asyncio.Future[Answer]"]
"""The answers for the slots of one page that one request has asked for, by name."""


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """A whole page: its layout filled with its slots, and the answers that it was made of."""

    fragment: Fragment
    layout: Answer
    slots: Mapping[str, Answer]


class Pipeline:
    """Answers for slots and pages. Whatever fails upstream or in a template, there is an answer."""

    def __init__(
        self,
        gatherer: Gatherer,
        fragments: Fragments,
        recorder: Recorder | None = None,
        look: Callable[[], None] = lambda: None,
        tally: Tally | None = None,
        *,
        budget_s: float = inf,
    ) -> None:
        """``look`` is called before each answer: what was purged until then is not in it.

        ``budget_s`` is how long a request waits for upstreams in all, in seconds.
        """
        self._budget_s = budget_s
        self.gatherer = gatherer
        self.tally = tally or Tally()
        self._cells = self.tally.cells
        self.look = look
        self.fragments = fragments
        self._compositions = Compositions()
        self._reported: set[tuple[str, str, str]] = set()
        self.recorder = recorder

    def hold(self, answers: Iterable[Answer]) -> bool:
        """Tell whether nothing was purged since these answers were begun: else nobody may store them."""
        self.look()
        purges = self.fragments.purges
        return not [answer for answer in answers if answer.purges != purges]  # cheaper than `all` of one

    async def page(self, asked: Asked, layout_plan: SlotPlan, slot_plans: Mapping[str, SlotPlan]) -> PageAnswer:
        """Decide the layout, answer all of its slots concurrently, and put them together, all within one budget."""
        with spending(self._budget_s):
            return await self._page(asked, layout_plan, slot_plans)

    async def _page(self, asked: Asked, layout_plan: SlotPlan, slot_plans: Mapping[str, SlotPlan]) -> PageAnswer:
        layout = await self.slot(asked, layout_plan)
        outcome = layout_plan.outcome(layout.decision)
        names = outcome.slots
        others = self.begin(asked, [plan for name, plan in slot_plans.items() if name in names])
        slots = dict(zip(names, await asyncio.gather(*(others[name] for name in names)), strict=True))
        headed = with_head(layout.fragment.body, outcome.head.markup)
        body = compose(headed, {name: answer.fragment.body for name, answer in slots.items()})
        return PageAnswer(Fragment.of(body), layout, slots)

    async def stand_in(self, asked: Asked, plan: SlotPlan) -> Fragment:
        """Return what a slot shows by default, where that asks nobody for anything; else nothing."""
        default = plan.default
        if default.needs is not None or default.lists or default.item is not None:
            return EMPTY
        known = Known(asked, plan.base_facts, [], self.fragments.purges)
        try:
            return (await self._show_default(asked, plan, known, "DEFAULT")).fragment
        except RenderError:
            return EMPTY

    def begin(self, asked: Asked, plans: Iterable[SlotPlan]) -> Others:
        """Begin to answer for slots of one page, in its order, each of them once, whichever others wait for it.

        Of what is asked for together the first may have the first choice.
        """
        others: Others = {}
        for plan in plans:
            self._begun(asked, plan, others)
        return others

    def _begun(self, asked: Asked, plan: SlotPlan, others: Others) -> "asyncio.Future[Answer]":
        if plan.name not in others:
            others[plan.name] = asyncio.ensure_future(self.slot(_branched(asked), plan, others))
        return others[plan.name]

    async def slot(
        self, asked: Asked, plan: SlotPlan, others: Others | None = None, refusal: Refused | None = None
    ) -> Answer:
        """Answer for one slot, from the highest rung of the ladder that holds.

        ``others`` are those beside it, which this adds to; without them it asks for those that it depends on itself.
        Whoever turns out on the way to have refused personalization (``refusal``) is answered anew, as one who did.
        """
        with spending(self._budget_s):
            return await self._slot(asked, plan, others, refusal)

    async def _slot(self, asked: Asked, plan: SlotPlan, others: Others | None, refusal: Refused | None) -> Answer:
        self.look()
        problems: list[str] = []
        rungs: Sequence[Rungs] = (self._decided, self._default)
        if asked.shed:
            problems.append(OVERLOAD)
            self._cells[SHED] += 1
            rungs = (self._shed,)
        for rung in rungs:
            try:
                known = Known(asked, plan.base_facts, problems, self.fragments.purges)
                if refusal is not None:
                    known.refused(refusal)
                if plan.before and not asked.shed:
                    others = {} if others is None else others
                    before = [self._begun(asked, each, others) for each in plan.before]
                    known.before = partial(self._leave_out, known, asked, before)
                answer = await rung(asked, plan, known)
                self._cells[DECIDED[answer.decision.reason]] += 1
                if answer.rung != "fresh":
                    self._cells[FALLBACKS.at[answer.rung]] += 1
                return answer
            except Refused as refused:
                return await self._slot(asked.refused(), plan, others, refused)
            except Exception as failure:
                expected = isinstance(failure, SourceError | RenderError)
                problems.append(problem(failure) if isinstance(failure, SourceError) else "render error")
                self._cells[RENDER_FAILURES] += not isinstance(failure, SourceError)
                said = failure if expected else type(failure).__name__  # whose message might hold a visitor's data
                log.warning("%s/%s: %s", plan.page, plan.name, said, exc_info=not expected)
        self._cells[FALLBACKS.at["empty"]] += 1
        return Answer(EMPTY, plan.default_decision("ERROR"), "empty", 0.0, tuple(problems))

    async def _leave_out(self, known: Known, asked: Asked, before: "Sequence[asyncio.Future[Answer]]") -> None:
        """Note which items the slots before it show: what holds for them only for a time holds for it no longer."""
        answers = await asyncio.gather(*before)
        known.taken = frozenset(str(sku) for each in answers for items in each.shown if items for sku in items.skus)
        for each in answers:
            lifetime_s = each.lifetime_s if each.rung in ("fresh", "stale") else 0.0
            known.fresh_for_s = min(known.fresh_for_s, lifetime_s)
            if each.horizon_s < inf:
                known.holds_until(asked.now + timedelta(seconds=each.horizon_s))

    async def _decided(self, asked: Asked, plan: SlotPlan, known: Known) -> Answer:
        needs = self.gatherer.needs(plan)
        if needs is not None and (waiting := self.gatherer.at_hand(known, asked, needs)):
            await self.gatherer.finish(known, asked, waiting)
        if asked.timing is not None:
            asked.timing.lap("gather")
        decision = plan.forced.get(asked.forced) if asked.forced else None
        if decision is None:
            decision = plan.matcher.decide(known.facts, asked.now, known.ages)
            if self.recorder is not None:
                self.recorder.note(plan, known.facts, known.ages, asked.now)
        if decision.failed:
            self._report(plan, decision.failed)
        if asked.timing is not None:
            asked.timing.lap("decide")
        outcome = plan.outcome(decision)
        answer = await self._show(asked, outcome, outcome.needs_beyond, decision, known)
        if answer.fragment.body == FALL_BACK.body:
            return await self._show_default(asked, plan, known, "DEFAULT")
        return answer

    async def _default(self, asked: Asked, plan: SlotPlan, known: Known) -> Answer:
        answer = await self._show_default(asked, plan, known, "ERROR")
        return answer._replace(rung="default", lifetime_s=0.0)

    async def _shed(self, asked: Asked, plan: SlotPlan, known: Known) -> Answer:
        """Show the default as of somebody of whom nothing is known; nothing, where it takes a list or an item."""
        decision = plan.default_decision("ERROR")
        if plan.default.lists or plan.default.item is not None:
            return Answer(EMPTY, decision, "empty", 0.0, tuple(known.problems), purges=known.purges)
        answer = await self._show(asked, plan.default, None, decision, known)
        fragment = answer.fragment if answer.fragment.body != FALL_BACK.body else EMPTY
        return answer._replace(fragment=fragment, rung="default", lifetime_s=0.0)

    async def _show_default(self, asked: Asked, plan: SlotPlan, known: Known, reason: Reason) -> Answer:
        """Show the slot's default; nothing, where its template asks for the default in its turn."""
        answer = await self._show(asked, plan.default, plan.default.needs, plan.default_decision(reason), known)
        return answer if answer.fragment.body != FALL_BACK.body else answer._replace(fragment=EMPTY)

    async def _show(
        self, asked: Asked, plan: OutcomePlan, needs: Needs | None, decision: Decision, known: Known
    ) -> Answer:
        """Gather what the outcome's template demands, then answer with its fragment."""
        found: Found | None = None
        key, fragment = None, EMPTY
        items = item = None
        if plan.template is not None:
            if needs is not None and (waiting := self.gatherer.at_hand(known, asked, needs)):
                await self.gatherer.finish(known, asked, waiting)
            for name, derive in plan.derived:
                known.derive(name, derive(known.facts, asked.now))
            cta = plan.cta.resolve(known.facts, asked.context.locale) if plan.cta is not None else None
            items = await self.gatherer.items(known, asked, plan.lists) if plan.lists else None
            item = await self.gatherer.item(known, asked, plan.item) if plan.item is not None else None
            gathered = Gathered(known.facts, cta, items, item, decision.assignment)
            if asked.timing is not None:
                self._noted(asked.timing, known)
            key = plan.inputs.key(gathered)
            fragment, found = await self._fragment(key, plan, gathered, asked, known)
            if plan.nested:
                fragment, found, key = await self._filled(fragment, found, key, plan, gathered, asked, known)
        if known.before is not None:
            await known.settle()
        known.holds_until(decision.until)
        horizon_s = seconds_until(known.until, asked.now)
        lifetime_s = min(known.fresh_for_s, horizon_s)
        problems, shown, used = tuple(known.problems), (items, item), known.used_inputs
        made = fragment, decision, known.rung, lifetime_s, problems, key, found, horizon_s
        return Answer(*made, shown, known.taken, used, known.purges)

    def _report(self, plan: SlotPlan, rules: Sequence[str]) -> None:
        """Log rules that failed and were skipped, each once: the next visitor would only say the same."""
        self._cells[FAILED_RULES] += len(rules)
        for rule in rules:
            place = (plan.page, plan.name, rule)
            if place not in self._reported:
                self._reported.add(place)
                log.error("%s/%s: rule `%s` failed, and is skipped", *place)

    async def _fragment(
        self, key: bytes, plan: OutcomePlan, gathered: Gathered, asked: Asked, known: Known
    ) -> tuple[Fragment, Found | None]:
        """Return a template's own fragment, and where it was found."""
        timing = asked.timing
        found: Found | None = None
        cached = self.fragments.at_hand(key, plan, gathered) if asked.counted else None
        if timing is not None:
            timing.lap("cache")
        if cached is not None:
            return cached, "memory"
        if asked.counted:
            fragment, found = await self.fragments.made(key, plan, gathered, known.purges)
        else:
            fragment = rendered(plan, gathered, counted=False)
        if timing is not None:
            timing.lap("render")
        return fragment, found

    def _noted(self, timing: Timing, known: Known) -> None:
        """Count what only a sample of the requests tells, as most are too quick for it."""
        timing.lap("gather")
        for source, _, got in known.used_inputs:
            self.tally.observe(AGE_S, source, got.age_s)
        self._cells[MISFITS] += len(known.misfits)

    async def _filled(
        self,
        outer: Fragment,
        found: Found | None,
        key: bytes,
        plan: OutcomePlan,
        gathered: Gathered,
        asked: Asked,
        known: Known,
    ) -> tuple[Fragment, Found | None, bytes]:
        """Put the fragments into one that are nested in it; one that fails is empty, and alone in that.

        Returns the whole, where the farthest of it was found, and the key of it all.
        """
        parts: dict[str, Fragment] = {}
        for name in nested_in(outer.body):
            inner = plan.nested.get(name)
            if inner is None or name in parts:
                continue  # an author's own comment that looks like a mark
            seen = gathered if inner.inputs.experiment else gathered._replace(assignment=None)
            inner_key = inner.inputs.key(seen)
            try:
                fragment, where = await self._fragment(inner_key, inner, seen, asked, known)
            except RenderError as failure:
                known.problems.append("render error")
                known.lost = True
                log.warning("%s", failure)
                continue
            if inner.nested:
                nested = await self._filled(fragment, where, inner_key, inner, gathered, asked, known)
                fragment, where, inner_key = nested
            if fragment.body == FALL_BACK.body:
                return FALL_BACK, found, key
            parts[name], found, key = fragment, farthest((found, where)), digest(key + inner_key)
        return self._compositions.of(outer, parts), found, key


def farthest(places: Iterable[Found | None]) -> Found | None:
    """Return the farthest place of several in which fragments were found; None where none was looked up."""
    return max((each for each in places if each is not None), key=FOUND.index, default=None)


def _branched(asked: Asked) -> Asked:
    """Return the same, to be timed beside others."""
    return asked if asked.timing is None else asked._replace(timing=asked.timing.branch())
