"""The short way to an answer: for a slot of which everything is at hand, and nothing is unusual.

It decides, picks the inputs and finds the fragment under their key just as the pipeline does, for each request anew, in
one function that neither waits nor keeps an account. Where anything has to be waited for, is past its fresh life, has
failed or was never seen before, it gives None, and the pipeline goes the long way, which ends in the same answer.
"""

from collections.abc import Sequence
from datetime import datetime
from math import inf
from typing import Any

from tessera.renderer.cache.base import FALL_BACK
from tessera.renderer.core.context import Context
from tessera.renderer.core.declared import Coerced, Declared
from tessera.renderer.core.freshness import seconds_until
from tessera.renderer.core.inputs import Gathered, Items
from tessera.renderer.gather import NOTHING
from tessera.renderer.pipeline import Answer, Pipeline
from tessera.renderer.plans import SlotPlan
from tessera.renderer.remembered import Kept

NONE_LEFT_OUT: frozenset[str] = frozenset()


def at_hand(
    pipeline: Pipeline, plan: SlotPlan, context: Context, declared: Declared, parameters: Coerced, now: datetime
) -> Answer | None:
    """Return what `Pipeline.slot` would answer a visitor who gives no facts and forces nothing, None for the long way.

    Raises whatever a rule, a call to action or a list may: it fails there again, and is reported.
    """
    if pipeline.recorder is not None or plan.before:
        return None
    sources = pipeline.gatherer.sources
    visitor, locale, told = context
    visitor_id = visitor.id
    now_s = sources.clock()
    fresh_until_s = inf

    facts = {**plan.base_facts, **told.facts}
    if parameters.facts:
        facts.update(parameters.facts)
    profile = None
    needs = plan.needs_consent if sources.tell_consent else plan.needs
    if needs is not None:
        if needs.more_than_profile:
            return None
        if visitor_id is not None:
            profile = sources.profiles.calm((declared.shape, visitor_id), now_s)
            if profile is None or profile.value.unusual:
                return None
            facts.update(profile.value.coerced.facts)
            fresh_until_s = profile.fresh_until_s

    decision = plan.matcher.decide(facts, now)
    shown = plan.outcomes[id(decision.outcome)]
    if decision.failed or shown.nested or shown.template is None:
        return None

    needs = shown.needs_beyond
    if needs is not None:
        if needs.more_than_profile:
            return None
        if profile is None and visitor_id is not None:
            profile = sources.profiles.calm((declared.shape, visitor_id), now_s)
            if profile is None or profile.value.unusual:
                return None
            facts.update(profile.value.coerced.facts)
            fresh_until_s = profile.fresh_until_s
    until = decision.until
    for name, derive in shown.derived:
        derived = derive(facts, now)
        if derived.value is not None:
            facts[name] = derived.value
        if derived.until is not None and (until is None or derived.until < until):
            until = derived.until
    cta = shown.cta.resolve(facts, locale) if shown.cta is not None else None
    items = item = None
    used: list[tuple[str, str, Kept[Items]]] = []
    if shown.lists:
        items = NOTHING
        for wanted in shown.lists:
            query = wanted.query(facts, visitor_id)
            if query is None:
                continue
            found = sources.lists.calm((declared.shape, query), now_s)
            if found is None:
                return None
            used.append(("items", wanted.name, found))
            if found.value.all:
                items = found.value.share((), wanted.count)
                if found.fresh_until_s < fresh_until_s:
                    fresh_until_s = found.fresh_until_s
                break
    if shown.item is not None:
        sku = facts.get(shown.item)
        found = sources.single.calm((declared.shape, sku), now_s) if isinstance(sku, str) else None
        if found is None:
            return None
        used.append(("catalogue", shown.item, found))
        item = found.value
        if found.fresh_until_s < fresh_until_s:
            fresh_until_s = found.fresh_until_s

    gathered = tuple.__new__(Gathered, (facts, cta, items, item, decision.assignment))  # half the time of a call
    key = shown.inputs.key(gathered)
    fragment = pipeline.fragments.at_hand(key, shown, gathered)
    if fragment is None or fragment.body == FALL_BACK.body:
        return None
    lifetime_s, horizon_s = fresh_until_s - now_s, inf if until is None else seconds_until(until, now)
    if horizon_s < lifetime_s:
        lifetime_s = horizon_s
    answer = fragment, decision, "fresh", lifetime_s, (), key, "memory", horizon_s
    others = (items, item), NONE_LEFT_OUT, used, pipeline.fragments.purges
    return tuple.__new__(Answer, answer + others)


def noted(
    pipeline: Pipeline, plan: SlotPlan, context: Context, declared: Declared, answer: Answer
) -> tuple[Sequence[tuple[str, float]], int]:
    """Return what only a sample of such answers is asked for, as most are too quick for it.

    That is each input's source and age in seconds, and how many values of the visitor did not fit their type.
    """
    sources = pipeline.gatherer.sources
    now_s = sources.clock()
    kept: list[tuple[str, Kept[Any]]] = [(source, used) for source, _, used in answer.used]  # type: ignore[misc]
    misfits = len(context.facts.misfits)
    if plan.needs is not None or plan.outcomes[id(answer.decision.outcome)].needs_beyond is not None:
        profile = sources.profiles.calm((declared.shape, context.visitor.id or ""), now_s)
        if profile is not None:
            misfits += len(profile.value.coerced.misfits)
            kept.append(("profile", profile))
    return [(source, now_s - each.fetched_s) for source, each in kept], misfits
