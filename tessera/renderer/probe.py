"""One call to one adapter, for whoever sets it up: what it answered, how long that took, and what of it does not fit.

Nothing here is remembered, and nothing stands in: what an upstream says is told as it is.
"""

import asyncio
import json
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TypeVar

from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceTimeout
from tessera.renderer.core.flags import queries
from tessera.renderer.core.ports import Catalogue, Flags, ListQuery, Profiles, Recommender
from tessera.rules.facts import Fact, Misfit, Value, coerce
from tessera.rules.ruleset import Ruleset

T = TypeVar("T")
PATIENCE_S = 10.0
"""How long an answer is waited for, whatever the deadline is, so that one learns what the deadline should be."""
SHOWN = 60


@dataclass(frozen=True, slots=True)
class Came:
    """A value that came: under which name, for which declared fact or field, and why it does not fit, where so."""

    name: str
    value: object
    declared: str | None
    misfit: str | None = None

    def to_text(self, width: int) -> str:
        """Tell it to people."""
        shown = json.dumps(self.value, ensure_ascii=False, default=str)
        shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
        into = "" if self.declared in (None, self.name) else f" → {self.declared}"
        misfit = "" if self.misfit is None else f"  DOES NOT FIT: {self.misfit}; it counts as unknown"
        return f"  {self.name:<{width}}  {shown}{into}{misfit}"


@dataclass(frozen=True, slots=True)
class Probed:
    """One call: ``absent`` names what is declared and did not come, ``failure`` what went wrong, ``help`` a way out.

    Times are in milliseconds.
    """

    what: str
    status: str
    took_ms: float
    deadline_ms: float
    values: tuple[Came, ...] = ()
    absent: tuple[str, ...] = ()
    failure: str | None = None
    help: str | None = None
    notes: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Tell it to people."""
        lines = [f"{self.what}: {self.status}, in {self.took_ms:.1f} ms (deadline {self.deadline_ms:g} ms)"]
        width = max((len(each.name) for each in self.values), default=0)
        lines += [each.to_text(width) for each in self.values]
        lines += [f"  {note}" for note in self.notes]
        if self.absent:
            lines.append(f"  did not come: {', '.join(self.absent)}")
        if self.failure is not None:
            lines.append(f"  failed: {self.failure}")
        if self.help is not None:
            lines.append(f"  = help: {self.help}")
        return "\n".join(lines)


class Prober:
    """Asks one adapter of a site. ``table`` is its table of settings, ``deadline_ms`` what that says."""

    def __init__(self, table: str, deadline_ms: float, ruleset: Ruleset) -> None:
        self._table = table
        self._deadline_ms = deadline_ms
        self._ruleset = ruleset

    async def profile(self, adapter: Profiles, visitor_id: str) -> Probed:
        """Ask for one visitor's profile."""
        declared = {
            fact.trait: fact for fact in self._ruleset.facts.values() if fact.source == "profile" and fact.trait
        }
        found, probed = await self._timed("profile", adapter.profile(visitor_id, frozenset(declared)))
        if found is None:
            return probed
        delivered = {name for name, segment in self._ruleset.segments.items() if segment.when is None}
        notes = [f"in segments: {', '.join(sorted(found.segments)) or 'none'}"]
        if strange := sorted(found.segments - delivered):
            notes.append(f"no segments of the site: {', '.join(strange)} (see rules/segments.yaml)")
        told = () if found.status == "missing" else _came(found.traits, declared)
        absent = [f"{fact.name} (trait `{trait}`)" for trait, fact in declared.items() if trait not in found.traits]
        status = "a visitor who is not known there" if found.status == "missing" else found.status
        return replace(probed, status=status, values=tuple(told), absent=tuple(absent), notes=tuple(notes))

    async def items(self, adapter: Recommender, name: str, query: ListQuery) -> Probed:
        """Ask for one list."""
        found, probed = await self._timed(f"list {name}", adapter.items(query))
        if found is None:
            return probed
        values: list[Came] = []
        for item in found.items:
            values.append(Came(item.id, {} if item.score is None else {"score": item.score}, None))
            values += _came(item.fields, self._ruleset.item_fields, f"{item.id}.")
        notes = (
            () if any(item.fields for item in found.items) else ("fields come from the catalogue: probe that as well",)
        )
        return replace(probed, status=f"{len(found.items)} of {query.at_most} items", values=tuple(values), notes=notes)

    async def catalogue(self, adapter: Catalogue, ids: Sequence[str]) -> Probed:
        """Ask for items."""
        found, probed = await self._timed("items", adapter.items(ids))
        if found is None:
            return probed
        values = [came for sku in found for came in _came(found[sku], self._ruleset.item_fields, f"{sku}.")]
        lacking = [
            f"{sku}.{name}" for sku, fields in found.items() for name in self._ruleset.item_fields if name not in fields
        ]
        absent = (*(f"item {sku}" for sku in ids if sku not in found), *lacking)
        return replace(probed, status=f"{len(found)} of {len(ids)} items", values=tuple(values), absent=absent)

    async def flags(self, adapter: Flags, facts: Mapping[str, Value]) -> list[Probed]:
        """Ask for every flag that is declared: once for all that are told the same."""
        declared = [fact for fact in self._ruleset.facts.values() if fact.source == "flags"]
        probes = []
        for query, flags in queries(declared, facts, self._ruleset.facts).items():
            told = dict(query.attributes)
            found, probed = await self._timed("flags", adapter.flags(query))
            by_key = {fact.key or "": fact for fact in flags}
            values: tuple[Came, ...] = ()
            absent: tuple[str, ...] = ()
            if found is not None:
                values = tuple(_came(found, by_key))
                absent = tuple(f"{fact.name} (flag `{key}`)" for key, fact in by_key.items() if key not in found)
            notes = (f"told: {json.dumps(told, default=str) if told else 'nothing'}",)
            probes.append(replace(probed, values=values, absent=absent, notes=notes))
        return probes

    async def _timed(self, what: str, call: Awaitable[T]) -> tuple[T | None, Probed]:
        """Await one call; None where it failed."""
        began_s = perf_counter()
        failure: SourceError | None = None
        found: T | None = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                found = await call
        except SourceError as failed:
            failure = failed
        except TimeoutError:
            failure = SourceTimeout(self._table, f"no answer in {PATIENCE_S:g} s")
        took_ms = (perf_counter() - began_s) * 1000
        probed = Probed(what, "answered", took_ms, self._deadline_ms)
        if failure is not None:
            return None, replace(probed, status=failure.kind, failure=str(failure), help=self._help(failure))
        if took_ms > self._deadline_ms:
            late = "later than the deadline: visitors are not given it"
            probed = replace(probed, failure=late, help=f"raise `deadline_ms` in [{self._table}], or ask nearer by")
        return found, probed

    def _help(self, failure: SourceError) -> str:
        if isinstance(failure, SourceTimeout):
            return "is it the right address, and may this machine reach it? A firewall that drops packets looks so"
        if isinstance(failure, SourceGarbled):
            return f"compare what it sends with the adapter's settings in [{self._table}]; 401 and 403 mean its token"
        return "does it run, and is it the right address? With 429 it is asked too often, with 5xx it fails itself"


def _came(values: Mapping[str, object], declared: Mapping[str, Fact], before: str = "") -> Iterator[Came]:
    for name, value in values.items():
        fact = declared.get(name)
        misfit = None
        if fact is not None and value is not None:
            try:
                coerce(fact, value)
            except Misfit as wrong:
                misfit = f"{fact.type}, but {wrong}"
        yield Came(before + name, value, fact.name if fact is not None else None, misfit)
