"""Why a visitor sees what they see: the same evaluation that serves them, told in full."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tessera.renderer.core.inputs import plain
from tessera.renderer.core.needs import Needs
from tessera.renderer.core.ports import ListStatus
from tessera.renderer.core.stock import Origin
from tessera.renderer.core.tags import Tag
from tessera.renderer.gather import Asked, Fetched, Known, Refused
from tessera.renderer.pipeline import Answer, Pipeline
from tessera.renderer.plans import OutcomePlan, SlotPlan
from tessera.renderer.site import Site
from tessera.rules import trace as account
from tessera.rules.evaluate import Trace, explain_slot
from tessera.rules.facts import Value
from tessera.rules.values import Location


@dataclass(frozen=True, slots=True)
class Listing:
    """The list that a slot shows: its name, and the lists for which it stands in.

    ``age_s`` is how old it is, in seconds. ``status`` is ``fallback`` where it stands in for another, or its
    recommender for another. ``sources`` are the recommenders that it is from, where there are several; ``attributions``
    the ids under which they take feedback, good for ``attribution_s`` seconds where they say so.
    """

    name: str
    age_s: float
    status: ListStatus
    instead_of: tuple[str, ...]
    sources: tuple[str, ...]
    attributions: tuple[str, ...]
    attribution_s: float | None

    def to_text(self) -> str:
        """Tell it to people."""
        end = f", good for {self.attribution_s:g} s" if self.attribution_s is not None else ""
        parts = [
            f"instead of {', '.join(self.instead_of)}" if self.instead_of else "",
            f"from {', '.join(self.sources)}" if self.sources else "",
            f"attribution {', '.join(self.attributions)}{end}" if self.attributions else "",
        ]
        return "; ".join([f"{self.name}: {self.status}, {self.age_s:g} s old", *filter(None, parts)])


@dataclass(frozen=True, slots=True)
class Explanation:
    """One slot for one visitor at one moment. ``facts`` are all that were known when its rules were asked.

    ``asked`` is what the template asks of values of which it sees no more: of these the key holds the answer.
    ``listing`` is the list that it shows, None where it shows none.
    """

    site: str
    scope: str
    facts: Mapping[str, Value]
    misfits: tuple[str, ...]
    fetched: tuple[Fetched, ...]
    trace: Trace
    answer: Answer
    asked: tuple[str, ...]
    tags: tuple[Tag, ...]
    listing: Listing | None

    def to_text(self) -> str:
        """Tell it to people."""
        answer = self.answer
        key = answer.key.hex() if answer.key else "none, as nothing is shown"
        fetched = [_told(each) for each in self.fetched]
        facts = [f"{name} = {_written(value)}" for name, value in sorted(self.facts.items())]
        return "\n".join(
            [
                account.to_text(self.trace),
                *_section("known", facts),
                *_section("did not fit its type, so unknown", self.misfits),
                *_section("fetched", fetched),
                *_section("items", [self.listing.to_text()] if self.listing else []),
                *_section("left out, as slots before it show them", sorted(answer.left_out)),
                *_section("failed", answer.problems),
                f"rung: {answer.rung}",
                f"scope: {self.scope}",
                f"key: {key}",
                *_section("in the key only as an answer", self.asked),
                f"tags: {', '.join(self.tags)}",
                f"site: {self.site}",
            ]
        )

    def to_json(self) -> dict[str, object]:
        """Tell it to programs: the rules' account, and what surrounds it."""
        return {
            **account.to_json(self.trace),
            "site": self.site,
            "scope": self.scope,
            "rung": self.answer.rung,
            "key": self.answer.key.hex() if self.answer.key else None,
            "asked": list(self.asked),
            "tags": list(self.tags),
            "facts": {name: _plain(value) for name, value in sorted(self.facts.items())},
            "misfits": list(self.misfits),
            "fetched": [each._asdict() for each in self.fetched],
            "items": asdict(self.listing) if self.listing else None,
            "left_out": sorted(self.answer.left_out),
            "problems": list(self.answer.problems),
        }


async def explain(pipeline: Pipeline, asked: Asked, site: Site, plan: SlotPlan) -> Explanation:
    """Gather what the slot needs, account for its rules, and answer as for a visitor."""
    known, needs = Known(asked, plan.base_facts, []), pipeline.gatherer.needs(plan)
    try:
        await pipeline.gatherer.learn(known, asked, needs)
    except Refused as refusal:
        asked = asked.refused()
        known = Known(asked, plan.base_facts, [])
        known.refused(refusal)
        await pipeline.gatherer.learn(known, asked, needs)
    trace = explain_slot(site.ruleset, plan.page, plan.name, known.facts, asked.now, known.ages)
    answer = await pipeline.slot(asked, plan)
    outcome = plan.outcome(answer.decision)
    tags = (*answer.fragment.tags, *plan.tags)
    learned = known.facts, known.misfits, (*_skipped(asked, needs, known), *known.fetched)
    listing = _listing(outcome, answer)
    return Explanation(site.version, plan.scope, *learned, trace, answer, outcome.inputs.asked, tags, listing)


def _listing(outcome: OutcomePlan, answer: Answer) -> Listing | None:
    """Tell which of an outcome's lists is shown: the last that was asked for, since whatever has items ends the search.

    Those before it were empty or failed, or there was nothing known to ask them by.
    """
    names = [each.name for each in outcome.lists]
    asked = [(what, got) for source, what, got in answer.used if source == "items" and what in names]
    if not asked:
        return None
    name, got = asked[-1]
    instead_of = tuple(names[: names.index(name)])
    shown = answer.shown[0]
    origin: Origin | None = got.value.origin
    if origin is None or shown is None or not shown.all:
        return Listing(name, got.age_s, "empty", instead_of, (), (), None)
    status: ListStatus = "fallback" if instead_of else origin.status
    return Listing(name, got.age_s, status, instead_of, origin.sources, origin.attributions, origin.attribution_s)


def _skipped(asked: Asked, needs: Needs | None, known: Known) -> Iterable[Fetched]:
    """Tell that a profile was not even asked for: of crawlers, and of whoever has not consented, none ever is."""
    visitor = asked.context.visitor
    wanted = needs is not None and needs.profile and "profile" not in [each.source for each in known.fetched]
    if wanted and (visitor.crawler or visitor.consent != "granted"):
        yield Fetched("profile", "", None, "skipped_no_consent")


def _told(fetched: Fetched) -> str:
    age = "" if fetched.age_s is None else f", {fetched.age_s:g} s old"
    return f"{fetched.source} {fetched.what}".rstrip() + f": {fetched.status}{age}"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    shown = [f"  {line}" for line in lines]
    return [f"{title}:", *shown] if shown else []


def _written(value: Value) -> str:
    """Write a fact's value as an author would."""
    return str(value).lower() if isinstance(value, bool) else str(_plain(value))


def _plain(value: Value) -> object:
    """Write a fact's value in JSON's types."""
    if isinstance(value, Decimal | datetime | timedelta | Location):
        return str(value)
    return plain(value)
