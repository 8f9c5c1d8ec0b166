"""An access token that calls carry: fetched once for all, and renewed behind them before it ends."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tessera.renderer.core.errors import SourceError, SourceUnavailable

RENEWED_AT = 0.8
"""The share of a token's life after which it is renewed."""

RETRY_S = 1.0
"""Seconds after a failure for which no token is asked for."""


class Token(NamedTuple):
    """A token, and for how many seconds it is good."""

    text: str
    life_s: float


class Tokens:
    """Hands out a token. Fetching one may take far longer than any call may wait, so it goes on when they give up."""

    def __init__(
        self, source: str, fetch: Callable[[], Awaitable[Token]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``fetch`` raises `SourceError`; ``clock`` gives seconds."""
        self._source = source
        self._fetch = fetch
        self._clock = clock
        self._token: str | None = None
        self._renew_s = self._until_s = self._retry_s = -float("inf")
        self._renewal: asyncio.Task[str] | None = None

    async def get(self) -> str:
        """Return a token that is good. Raises `SourceError` where there is none."""
        now_s = self._clock()
        if self._token is not None and now_s < self._until_s:
            if now_s >= self._renew_s and now_s >= self._retry_s:
                self._renewed()
            return self._token
        if self._renewal is None and now_s < self._retry_s:
            raise SourceUnavailable(self._source, "an access token could not be had a moment ago")
        return await asyncio.shield(self._renewed())

    def refused(self, token: str) -> None:
        """Let go of a token that the service does not take any more."""
        if token == self._token:
            self._token = None

    async def close(self) -> None:
        """Give up what is under way."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)

    def _renewed(self) -> asyncio.Task[str]:
        if self._renewal is None:
            self._renewal = asyncio.ensure_future(self._renew())
            self._renewal.add_done_callback(self._done)
        return self._renewal

    def _done(self, renewal: asyncio.Task[str]) -> None:
        self._renewal = None
        if not renewal.cancelled():
            renewal.exception()  # looked at, as nobody may have waited for it

    async def _renew(self) -> str:
        began_s = self._clock()
        try:
            token = await self._fetch()
        except SourceError:
            self._retry_s = self._clock() + RETRY_S
            raise
        self._token = token.text
        self._until_s = began_s + token.life_s
        self._renew_s = began_s + token.life_s * RENEWED_AT
        return token.text
