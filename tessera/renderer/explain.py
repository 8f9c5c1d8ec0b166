"""Why a visitor sees what they see: the same evaluation that serves them, told in full."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tessera.renderer.core.inputs import plain
from tessera.renderer.core.needs import Needs
from tessera.renderer.core.tags import Tag
from tessera.renderer.gather import Asked, Fetched, Known, Refused
from tessera.renderer.pipeline import Answer, Pipeline
from tessera.renderer.plans import SlotPlan
from tessera.renderer.site import Site
from tessera.rules import trace as account
from tessera.rules.evaluate import Trace, explain_slot
from tessera.rules.facts import Value
from tessera.rules.values import Location


@dataclass(frozen=True, slots=True)
class Explanation:
    """One slot for one visitor at one moment. ``facts`` are all that were known when its rules were asked.

    ``asked`` is what the template asks of values of which it sees no more: of these the key holds the answer.
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
    asked_only = plan.outcome(answer.decision).inputs.asked
    tags = (*answer.fragment.tags, *plan.tags)
    learned = known.facts, known.misfits, (*_skipped(asked, needs, known), *known.fetched)
    return Explanation(site.version, plan.scope, *learned, trace, answer, asked_only, tags)


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
