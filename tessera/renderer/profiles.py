"""Where a visitor's profile comes from: one source, or several at once, each behind its own deadline and memory."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tessera.renderer.core.declared import Declared, KnownProfile
from tessera.renderer.core.errors import SourceError
from tessera.renderer.core.merging import Told, merged
from tessera.renderer.core.ports import Profiles
from tessera.renderer.fences import Fences, Tags
from tessera.renderer.remembered import Arrived, Got, Remembered, Terms
from tessera.renderer.tally import Tally

Key = tuple[bytes, str]
"""The shape of the declarations, and the visitor."""


@dataclass(frozen=True, slots=True)
class ProfileSource:
    """One of several sources. ``gives`` are the facts that are taken from it; empty is all that it has."""

    name: str
    profiles: Profiles
    terms: Terms
    gives: frozenset[str] = frozenset()


class Profiler(Protocol):
    """Whatever fetches a profile as declared facts."""

    async def fetch(self, visitor_id: str, declared: Declared, tags: Tags) -> Arrived[KnownProfile]:
        """Fetch it; ``tags`` are those by which it is purged. Raises `SourceError`."""
        ...


class OneSource:
    """Asks the only source there is."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    async def fetch(self, visitor_id: str, declared: Declared, tags: Tags) -> Arrived[KnownProfile]:
        """Ask it."""
        known = declared.profile(await self._profiles.profile(visitor_id, declared.traits))
        return Arrived(known, tags, known.status == "missing")


class SeveralSources:
    """Asks all sources at once, those that count most first in their order.

    Each is remembered and stands in on its own. The whole is fresh for no longer than the part that is so for the
    shortest time; where one failed, until that may be asked for again.
    """

    def __init__(
        self,
        sources: Sequence[ProfileSource],
        fences: Fences,
        clock: Callable[[], float],
        draw: Callable[[], float],
        tally: Tally | None,
    ) -> None:
        """``clock`` and ``draw`` are as for `Remembered`; calls are counted for each."""
        self._sources = [
            (source, Remembered[Key, KnownProfile](source.terms, fences, clock, draw, tally)) for source in sources
        ]

    @property
    def remembered(self) -> tuple[Remembered[Key, KnownProfile], ...]:
        """What is remembered of each."""
        return tuple(each for _, each in self._sources)

    async def fetch(self, visitor_id: str, declared: Declared, tags: Tags) -> Arrived[KnownProfile]:
        """Ask them and merge what they say. Raises the failure of the first where none could be had."""
        answers = await asyncio.gather(*(self._ask(*each, visitor_id, declared, tags) for each in self._sources))
        told: list[Told] = []
        fresh_s = float("inf")
        for (source, _), answer in zip(self._sources, answers, strict=True):
            if isinstance(answer, SourceError):
                told.append(Told(source.name, source.gives, None, failure=answer))
                fresh_s = min(fresh_s, source.terms.retry_s)
            else:
                told.append(Told(source.name, source.gives, answer.value, answer.age_s, answer.failure))
                fresh_s = min(fresh_s, answer.fresh_for_s if answer.failure is None else source.terms.retry_s)
        if all(each.profile is None for each in told) and told[0].failure is not None:
            raise told[0].failure
        known = merged(told)
        return Arrived(known, tags, known.status == "missing", fresh_s)

    async def _ask(
        self,
        source: ProfileSource,
        remembered: Remembered[Key, KnownProfile],
        visitor_id: str,
        declared: Declared,
        tags: Tags,
    ) -> Got[KnownProfile] | SourceError:
        async def fetch() -> Arrived[KnownProfile]:
            traits = declared.traits_of(source.gives) if source.gives else declared.traits
            known = declared.profile(await source.profiles.profile(visitor_id, traits))
            return Arrived(known, tags, known.status == "missing")

        try:
            return await remembered.get((declared.shape, visitor_id), fetch, tags)
        except SourceError as failure:
            return failure
