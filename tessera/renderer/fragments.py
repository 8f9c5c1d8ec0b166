"""Fragments: from memory, from what processes share, or rendered; a key at a time, whoever asks for it.

An entry is a pure function of its key, so it is never stale; see docs/operating.md, "What is cached".
"""

import asyncio
import logging
import time
from collections.abc import Callable
from math import log1p
from random import Random

from cachetools import TTLCache

from tessera.renderer.cache.background import Background
from tessera.renderer.cache.base import FALL_BACK, Fragment, FragmentCache, SharedFragments
from tessera.renderer.cache.coalesce import SingleFlight
from tessera.renderer.core.directives import without_directives
from tessera.renderer.core.errors import Away
from tessera.renderer.core.inputs import Gathered
from tessera.renderer.core.tags import EVERYTHING, Tag, template_tag
from tessera.renderer.engines.base import Abort, RenderError
from tessera.renderer.exposures import marker
from tessera.renderer.plans import OutcomePlan
from tessera.renderer.tally import CACHE, DIFFERED, PURGES, VERIFIED, Found, Tally

FAILURE_S = 1.5
"""For how long a template that failed for a key is not tried again for it."""

FAILURES = 1024
MAX_OWED = 10_000
"""Purged tags that Redis has not been told of, beyond which everything in it is dropped."""

VERIFY_AFTER_S = 0.05
"""How long after a hit it is rendered again, so that its answer is on its way by then."""

MEMORY = CACHE.at["memory"]
log = logging.getLogger("tessera")


def rendered(plan: OutcomePlan, gathered: Gathered, *, counted: bool = True) -> Fragment:
    """Render a fragment, as visitors get it where it is ``counted``. Raises `RenderError`."""
    assert plan.template is not None
    assert plan.tags is not None
    try:
        body = without_directives(plan.template.render(plan.inputs.inputs(gathered))).encode()
    except Abort:
        body = FALL_BACK.body
    else:
        if counted and plan.exposes:
            body += marker(gathered.assignment).encode()
    return Fragment.of(body, plan.tags.of(gathered))


class Fragments:
    """The fragments of one process. What a template failed on is remembered for a moment, and fails the same way."""

    def __init__(
        self,
        memory: FragmentCache,
        shared: SharedFragments | None = None,
        *,
        verify_share: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        tally: Tally | None = None,
    ) -> None:
        """``verify_share`` of the hits, from 0 to 1, are rendered again and compared. ``clock`` gives seconds."""
        self._tally = tally or Tally()
        self.purges = 0
        """How many purges there were: what was begun at another count is not kept."""
        self.verified = 0
        self.differed = 0
        """Hits that were rendered again, and those of them that came out otherwise."""
        self._memory = memory
        self._shared = shared
        self._failures: TTLCache[bytes, RenderError] = TTLCache(FAILURES, FAILURE_S, clock)
        self._flights: SingleFlight[bytes, tuple[Fragment, bool]] = SingleFlight()
        self._owed: dict[Tag, int] = {}
        self._paying = asyncio.Lock()
        self._background = Background()
        self._verify_share = verify_share
        self._random = Random()
        self._until_verified = self._hits_until_verified()

    def at_hand(self, key: bytes, plan: OutcomePlan, gathered: Gathered) -> Fragment | None:
        """Return what is in memory under a key, which is that of these inputs. Costs a tenth of a microsecond."""
        fragment = self._memory.get(key)
        if fragment is not None:
            self._tally.cells[MEMORY] += 1
            self._until_verified -= 1
            if not self._until_verified:
                self._until_verified = self._hits_until_verified()
                asyncio.get_running_loop().call_later(VERIFY_AFTER_S, self._verify, key, fragment, plan, gathered)
        return fragment

    async def made(self, key: bytes, plan: OutcomePlan, gathered: Gathered, purges: int) -> tuple[Fragment, Found]:
        """Return what is not in memory, as another process rendered it, or rendered here, and which of these it was.

        ``purges`` is the count of `purges` from before the inputs were gathered. Raises `RenderError`.
        """
        found: Found = "coalesced" if key in self._flights else "miss"
        try:
            fragment, from_redis = await self._made(key, plan, gathered, purges)
            found = "redis" if from_redis and found == "miss" else found
        finally:
            self._tally.cells[CACHE.at[found]] += 1
        return fragment, found

    async def _made(self, key: bytes, plan: OutcomePlan, gathered: Gathered, purges: int) -> tuple[Fragment, bool]:
        failure = self._failures.get(key)
        if failure is not None:
            raise failure.with_traceback(None)
        if self._shared is None or self._shared.away:
            return self._render(key, plan, gathered, purges), False  # nothing waits: nobody else renders it meanwhile
        shared = self._shared
        return await self._flights.run(key, lambda: self._from(shared, key, plan, gathered, purges))

    def purge(self, tags: frozenset[Tag]) -> int:
        """Drop every fragment that has one of the tags, and return how many those were in this process."""
        self.purges += 1
        self._tally.add(PURGES)
        self._failures.clear()
        dropped = self._memory.purge(tags)
        if self._shared is not None:
            self._owed |= dict.fromkeys(tags, self.purges)
            if len(self._owed) > MAX_OWED:
                self._owed = {EVERYTHING: self.purges}
            self._background.start(self._try_to_pay(self._shared))
        return dropped

    async def close(self) -> None:
        """Finish what runs beside the answers."""
        await self._background.close()
        if self._shared is not None:
            await self._shared.close()

    async def _from(
        self, shared: SharedFragments, key: bytes, plan: OutcomePlan, gathered: Gathered, purges: int
    ) -> tuple[Fragment, bool]:
        """Return what processes share, or else what is rendered for them all, and whether it was there."""
        assert plan.tags is not None
        tags = plan.tags.of(gathered)
        try:
            await self._pay(shared)
            claim = await shared.claim(key, tags)
        except Away:
            return self._memory.get(key) or self._render(key, plan, gathered, purges), False
        if claim.body is not None:
            return self._keep(key, Fragment.of(claim.body, tags), purges), True
        try:
            fragment = self._render(key, plan, gathered, purges)
        except RenderError:
            shared.give_up(key)
            raise
        if purges == self.purges:
            shared.keep(key, claim, fragment.body)
        else:
            shared.give_up(key)
        return fragment, False

    def _render(self, key: bytes, plan: OutcomePlan, gathered: Gathered, purges: int) -> Fragment:
        try:
            return self._keep(key, rendered(plan, gathered), purges)
        except RenderError as failure:
            self._failures[key] = failure
            raise

    def _keep(self, key: bytes, fragment: Fragment, purges: int) -> Fragment:
        """Keep a fragment, unless there was a purge since its inputs were gathered."""
        if purges == self.purges:
            self._memory.put(key, fragment)
        return fragment

    async def _pay(self, shared: SharedFragments) -> None:
        """Tell Redis of purges before anything more is taken from there. What is on its way is not going to be kept."""
        async with self._paying:
            while self._owed:
                owed = dict(self._owed)
                await shared.purge(frozenset(owed))
                self._owed = {tag: purge for tag, purge in self._owed.items() if owed.get(tag) != purge}

    async def _try_to_pay(self, shared: SharedFragments) -> None:
        try:
            await self._pay(shared)
        except Away:
            return  # still owed: nothing is taken from there before

    def _verify(self, key: bytes, fragment: Fragment, plan: OutcomePlan, gathered: Gathered) -> None:
        """Render a hit again; where it comes out otherwise, something has a part in it that the key does not know."""
        assert plan.template is not None
        self.verified += 1
        self._tally.add(VERIFIED)
        try:
            same = rendered(plan, gathered).body == fragment.body
        except RenderError:
            same = False
        if not same:
            self.differed += 1
            self._tally.add(DIFFERED)
            name, paths = plan.template.name, ", ".join(plan.inputs.parts)
            log.error("%s: the entry %s is not what it is rendered to; it is made of %s", name, key.hex(), paths)
            self.purge(frozenset((template_tag(name),)))

    def _hits_until_verified(self) -> int:
        """Draw how many hits from now the next one is verified, as if each were drawn alone; 0 is never."""
        if self._verify_share in (0.0, 1.0):
            return int(self._verify_share)
        return 1 + int(self._random.expovariate(-log1p(-self._verify_share)))
