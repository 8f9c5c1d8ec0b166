"""Several recommenders as one: tried in order or blended by weight, for each list as the settings say."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tessera.renderer.calls import Calls
from tessera.renderer.core.blend import blended
from tessera.renderer.core.errors import SourceError
from tessera.renderer.core.ports import ListQuery, Recommendations, Recommender

Route = Sequence[str] | Mapping[str, float]
"""Names of sources in the order in which they are tried; or each with its weight (above 0), to be blended."""


@dataclass(frozen=True, slots=True)
class ListSource:
    """One of several recommenders, and what calls it: within a deadline, and not while it is left alone."""

    name: str
    recommender: Recommender
    calls: Calls


class SeveralRecommenders:
    """Implements `Recommender` over several. Each item says which of them it is from."""

    def __init__(self, sources: Sequence[ListSource], routes: Mapping[str, Route]) -> None:
        """``routes`` are by the names of lists; a list without one tries all sources in their order."""
        self._sources = {source.name: source for source in sources}
        self._routes = routes
        self._all: Route = tuple(self._sources)

    async def items(self, query: ListQuery) -> Recommendations:
        """Return a list; what is not from the source that was meant, or lacks a part, is a fallback.

        Raises `SourceError` where nothing came, and one of the sources failed.
        """
        route = self._routes.get(query.name, self._all)
        if isinstance(route, Mapping):
            return await self._blended(query, route)
        return await self._in_order(query, route)

    async def _in_order(self, query: ListQuery, names: Sequence[str]) -> Recommendations:
        failure: SourceError | None = None
        for place, name in enumerate(names):
            answer = await self._ask(name, query)
            if isinstance(answer, SourceError):
                failure = failure or answer
            elif answer.items:
                return replace(answer, fallback=answer.fallback or place > 0)
        if failure is not None:
            raise failure
        return Recommendations()

    async def _blended(self, query: ListQuery, weights: Mapping[str, float]) -> Recommendations:
        answers = dict(zip(weights, await asyncio.gather(*(self._ask(name, query) for name in weights)), strict=True))
        came = {name: each for name, each in answers.items() if not isinstance(each, SourceError)}
        items = tuple(blended([(weights[name], each.items) for name, each in came.items()]))[: query.at_most]
        failures = [each for each in answers.values() if isinstance(each, SourceError)]
        if not items and failures:
            raise failures[0]
        ends = [each.attribution_s for each in came.values() if each.attribution_s is not None]
        lacking = bool(failures) or any(each.status != "fresh" for each in came.values())
        return Recommendations(items, min(ends, default=None), lacking)

    async def _ask(self, name: str, query: ListQuery) -> Recommendations | SourceError:
        """Ask one source, and return what it answers or how it failed."""
        source = self._sources[name]
        try:
            answer = await source.calls.run(lambda: source.recommender.items(query))
        except SourceError as failure:
            return failure
        return replace(answer, items=tuple(item._replace(source=name) for item in answer.items))
