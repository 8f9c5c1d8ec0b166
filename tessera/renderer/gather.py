"""Learning what is needed: asks the sources for what a decision or a template demands, and for nothing else."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeVar

from tessera.renderer.core import flags as told_to
from tessera.renderer.core.context import Context
from tessera.renderer.core.declared import Coerced, Declared, KnownProfile, Part
from tessera.renderer.core.errors import SourceError
from tessera.renderer.core.events import told_by
from tessera.renderer.core.inputs import Items
from tessera.renderer.core.lists import ListPlan
from tessera.renderer.core.needs import Needs
from tessera.renderer.core.now import Granule
from tessera.renderer.core.ports import FlagQuery
from tessera.renderer.plans import SlotPlan
from tessera.renderer.remembered import Got
from tessera.renderer.sources import Sources
from tessera.renderer.timing import Timing
from tessera.rules.compile import Truth
from tessera.rules.facts import Fact, Value

V = TypeVar("V")
Rung = Literal["fresh", "stale", "default", "empty"]
NOTHING = Items(())
NOT_TOLD = Coerced({})


class Refused(Exception):
    """A visitor's profile says that they refuse personalization: they are to be answered as whoever refused it here."""

    def __init__(self, profile: Got[KnownProfile]) -> None:
        super().__init__("personalization is refused")
        self.profile = profile


class Asked(NamedTuple):
    """One request at one moment.

    ``parameters`` are those of the page; ``cart`` is one that the shop signed into the request; ``given`` facts hold
    whatever is fetched; ``forced`` is an arm, ``experiment.arm``, to be shown. What is not ``counted`` is no
    visitor's own view: its fragments are neither taken from the cache nor kept, and report no exposure. What is
    ``shed`` is answered without asking anybody.
    """

    context: Context
    declared: Declared
    now: datetime
    parameters: Coerced = NOT_TOLD
    cart: Coerced | None = None
    given: Mapping[str, Value] = MappingProxyType({})
    forced: str | None = None
    counted: bool = True
    shed: bool = False
    timing: Timing | None = None

    def refused(self) -> "Asked":
        """Return the same request as one of a visitor who refuses personalization."""
        return self._replace(context=self.context.refused())


class Fetched(NamedTuple):
    """One input that was used, for whoever wants to know where an answer came from.

    Ages are in seconds, None where there is no answer.
    """

    source: str
    what: str
    age_s: float | None
    status: str


class Known:
    """What is known so far for one slot of one request. What most requests never touch is shared until it is set.

    ``taken`` are the ids of items that the slots before it show, which `settle` waits for: ``before`` notes them.
    """

    ages: Mapping[str, float] = MappingProxyType({})
    asked: tuple[str, ...] = ()
    fresh_for_s = float("inf")
    stale = False
    lost = False
    until: datetime | None = None
    taken: frozenset[str] = frozenset()
    before: Callable[[], Awaitable[None]] | None = None

    def __init__(self, asked: Asked, base_facts: Mapping[str, Value], problems: list[str], purges: int = 0) -> None:
        """``base_facts`` are those of every request; ``problems`` is added to; ``purges`` counts those before it."""
        told, parameters = asked.context.facts, asked.parameters
        self.facts = {**base_facts, **told.facts}
        if parameters.facts or asked.given:
            self.facts |= {**parameters.facts, **asked.given}
        self.misfits = told.misfits + parameters.misfits
        self.used_inputs: list[tuple[str, str, Got[Any]]] = []
        self.problems = problems
        self.purges = purges

    def refused(self, refusal: Refused) -> None:
        """Note that the visitor refused, and for how long that is known: no more is known of them."""
        self.used("profile", "personalization refused", refusal.profile)

    def add(self, coerced: Coerced) -> None:
        """Take in facts; those whose value does not fit their type stay unknown."""
        self.facts.update(coerced.facts)
        if coerced.misfits:
            self.misfits += coerced.misfits

    def derive(self, name: str, truth: Truth | Granule) -> None:
        """Take in a segment, a computed fact or a part of `now`, and until when it holds."""
        if truth.value is not None:
            self.facts[name] = truth.value
        self.holds_until(truth.until)

    def holds_until(self, until: datetime | None) -> None:
        """Note the next moment at which time alone could change the answer."""
        if until is not None and (self.until is None or until < self.until):
            self.until = until

    async def settle(self) -> None:
        """Wait until it is known what the slots before it show. So late, their lists and its own come at once."""
        if self.before is not None:
            before, self.before = self.before, None
            await before()

    def used(self, source: str, what: str, got: Got[V]) -> V:
        """Note that an input was used, how old it is and how long it will stay fresh."""
        self.used_inputs.append((source, what, got))
        if got.fresh_for_s < self.fresh_for_s:
            self.fresh_for_s = got.fresh_for_s
        if got.failure is not None:
            self.stale = True
            self.problems.append(problem(got.failure))
        return got.value

    def failed(self, failure: SourceError) -> None:
        """Note that something could not be had at all."""
        self.lost = True
        self.problems.append(problem(failure))

    @property
    def fetched(self) -> tuple[Fetched, ...]:
        """The inputs that were used, in the order of their use."""
        found: list[Fetched] = []
        for source, what, got in self.used_inputs:
            found.append(Fetched(source, what, got.age_s, got.freshness))
            if isinstance(got.value, KnownProfile):
                found.extend(_fetched(part, got.age_s) for part in got.value.parts)
        return tuple(found)

    @property
    def rung(self) -> Rung:
        """How far down the ladder these inputs are."""
        return "default" if self.lost else "stale" if self.stale else "fresh"


def problem(failure: SourceError) -> str:
    """Name what failed and how, without any visitor's data."""
    return f"{failure.source} {failure.kind}"


class Gatherer:
    """Fetches what is missing from what is known. What fails to come stays unknown, and is noted."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    def needs(self, plan: SlotPlan) -> Needs | None:
        """Return what deciding a slot needs here."""
        return plan.needs_consent if self.sources.tell_consent else plan.needs

    async def learn(self, known: Known, asked: Asked, needs: Needs | None) -> None:
        """Bring in the facts that are needed; what is not at hand is asked for concurrently."""
        waiting = self.at_hand(known, asked, needs) if needs is not None else ()
        if waiting:
            await self.finish(known, asked, waiting)

    async def finish(self, known: Known, asked: Asked, waiting: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Await what `at_hand` left open, all of it concurrently."""
        await asyncio.gather(*waiting)
        known.facts.update(asked.given)

    def at_hand(self, known: Known, asked: Asked, needs: Needs) -> Sequence[Coroutine[Any, Any, None]]:
        """Bring in those of the needed facts that are at hand; return what is to be awaited for the others."""
        facts, context = known.facts, asked.context
        waiting: list[Coroutine[Any, Any, None]] = []
        visitor_id = context.visitor.id
        if needs.profile and visitor_id is not None and "profile" not in known.asked:
            known.asked += ("profile",)
            profile = self.sources.profile_at_hand(visitor_id, asked.declared)
            if profile is None:
                waiting.append(self._profile(known, asked, visitor_id))
            else:
                _take(known, profile)
        if needs.cart and "cart" not in known.asked:
            known.asked += ("cart",)
            waiting.append(self._cart(known, asked))
        for fact, list_plan in needs.lists:
            if fact.name not in facts:
                waiting.append(self._listed(known, asked, fact.name, list_plan))
        if needs.events and visitor_id is not None:
            waiting.append(self._events_of(known, asked, visitor_id, needs.events))
        if needs.assigned and visitor_id is not None:
            waiting.append(self._first_shown(known, asked, visitor_id, needs.assigned))
        if asked.given:
            facts.update(asked.given)
        if needs.flags:
            return [self._flags_of(known, asked, needs.flags, waiting)]
        return waiting

    async def items(self, known: Known, asked: Asked, lists: Sequence[ListPlan]) -> Items:
        """Return the slot's share of the first of the lists that has one: the one chosen, then its fallbacks.

        Raises `SourceError` where none has any and one of them failed.
        """
        failure: SourceError | None = None
        for list_plan in lists:
            query = list_plan.query(known.facts, asked.context.visitor.id)
            if query is None:
                continue
            got = self.sources.items_at_hand(query, asked.declared)
            try:
                got = got or await self.sources.items(query, asked.declared)
            except SourceError as failed:
                failure = failed
                known.failed(failed)
                continue
            items = known.used("items", list_plan.name, got)
            if items.all:
                await known.settle()
                share = items.share(known.taken, list_plan.count)
                if share.all:
                    return share
        if failure is not None:
            raise failure
        return NOTHING

    async def item(self, known: Known, asked: Asked, fact: str) -> Items:
        """Return the item whose id a fact holds, alone in a list; an empty list where there is none."""
        sku = known.facts.get(fact)
        if not isinstance(sku, str):
            return NOTHING
        return known.used("catalogue", sku, await self.sources.item(sku, asked.declared))

    async def _profile(self, known: Known, asked: Asked, visitor_id: str) -> None:
        try:
            got = await self.sources.profile(visitor_id, asked.declared)
        except SourceError as failure:
            known.failed(failure)
        else:
            _take(known, got)

    async def _cart(self, known: Known, asked: Asked) -> None:
        if asked.cart is not None:
            known.add(asked.cart)
            return
        if asked.context.visitor.id is None:
            return
        try:
            got = await self.sources.cart(asked.context.visitor.id)
        except SourceError as failure:
            known.failed(failure)
            return
        cart = known.used("cart", "", got)
        if cart is not None:
            known.add(asked.declared.cart(cart))

    async def _first_shown(
        self, known: Known, asked: Asked, visitor_id: str, assigned: Sequence[tuple[str, tuple[str, str]]]
    ) -> None:
        try:
            got = await self.sources.assignments(visitor_id)
        except SourceError as failure:
            known.failed(failure)
            return
        arms = known.used("assignments", "", got)
        known.facts.update({fact: arms[version] for fact, version in assigned if version in arms})

    async def _events_of(self, known: Known, asked: Asked, visitor_id: str, facts: Sequence[Fact]) -> None:
        try:
            of = frozenset(fact.of for fact in facts if fact.of is not None)
            got = await self.sources.events(visitor_id, of)
        except SourceError as failure:
            known.failed(failure)
            return
        moments = known.used("events", "", got)
        for fact in facts:
            told = told_by(fact, moments, asked.now)
            if told.value is not None:
                known.facts[fact.name] = told.value
            known.holds_until(told.until)
        if got.freshness == "stale":
            known.ages = {**known.ages, **{fact.name: got.age_s for fact in facts}}

    async def _flags_of(
        self, known: Known, asked: Asked, flags: Sequence[Fact], before: Sequence[Coroutine[Any, Any, None]]
    ) -> None:
        """Await what the flag service may have to be told, then ask it."""
        await asyncio.gather(*before)
        known.facts.update(asked.given)
        wanted = [flag for flag in flags if flag.name not in asked.given]
        queries = told_to.queries(wanted, known.facts, asked.declared.facts)
        await asyncio.gather(*(self._decided(known, asked, query, some) for query, some in queries.items()))

    async def _decided(self, known: Known, asked: Asked, query: FlagQuery, flags: Sequence[Fact]) -> None:
        try:
            got = await self.sources.flags(asked.context.visitor.id, query)
        except SourceError as failure:
            known.failed(failure)
            return
        found = told_to.told_by(flags, known.used("flags", ", ".join(key for key, _ in query.wanted), got))
        known.add(found)
        if got.freshness == "stale":
            known.ages = {**known.ages, **dict.fromkeys(found.facts, got.age_s)}

    async def _listed(self, known: Known, asked: Asked, fact: str, list_plan: ListPlan) -> None:
        query = list_plan.query(known.facts, asked.context.visitor.id)
        if query is None:
            return
        try:
            got = await self.sources.items(query, asked.declared)
        except SourceError as failure:
            known.failed(failure)
            return
        items = known.used("items", list_plan.name, got)
        known.facts[fact] = frozenset(str(item["sku"]) for item in items.all)


def _take(known: Known, got: Got[KnownProfile]) -> None:
    """Take in a profile, and its age where it is stale; of one that is merged, what became of its parts.

    Raises `Refused`.
    """
    if got.value.refused:
        raise Refused(got)
    profile = known.used("profile", got.value.status, got)
    known.add(profile.coerced)
    for part in profile.parts:
        if part.failure is None:
            continue
        if part.age_s is None:
            known.failed(part.failure)
            continue
        known.stale = True
        known.problems.append(problem(part.failure))
        known.ages = {**known.ages, **dict.fromkeys(part.gave, part.age_s + got.age_s)}
    if got.freshness == "stale":
        known.ages = {**known.ages, **dict.fromkeys(profile.coerced.facts, got.age_s)}


def _fetched(part: Part, since_s: float) -> Fetched:
    """Tell what a source gave to a profile, or how it failed, so many seconds after the parts were merged."""
    age_s = None if part.age_s is None else part.age_s + since_s
    return Fetched(f"profile from {part.source}", ", ".join(part.gave), age_s, part.status)
