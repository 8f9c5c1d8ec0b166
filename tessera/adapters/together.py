"""Questions that come up at the same time, asked upstream in one call."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tessera.renderer.core.errors import SourceError

K = TypeVar("K", bound=Hashable)
Q = TypeVar("Q", bound=Hashable)
A = TypeVar("A")


@dataclass(eq=False, slots=True)
class _Call(Generic[Q, A]):
    places: dict[Q, int] = field(default_factory=dict)
    waiting: int = 0
    answers: "asyncio.Task[Sequence[A | SourceError]] | None" = None


class Together(Generic[K, Q, A]):
    """Makes one call for all questions of one key that come up in one turn of the event loop, each of them once.

    Nobody waits for more to come. Whoever stops waiting leaves the call to the others; with the last of them it ends.
    """

    def __init__(self, ask: Callable[[K, Sequence[Q]], Awaitable[Sequence[A | SourceError]]]) -> None:
        """``ask`` returns an answer to each question in their order, or how that alone failed."""
        self._ask = ask
        self._open: dict[K, _Call[Q, A]] = {}

    async def ask(self, key: K, question: Q) -> A:
        """Return the answer to a question. Raises its own `SourceError`, or that of the whole call."""
        call = self._open.get(key)
        if call is None:
            call = self._open[key] = _Call()
            call.answers = asyncio.ensure_future(self._made(key, call))
        assert call.answers is not None
        place = call.places.setdefault(question, len(call.places))
        call.waiting += 1
        try:
            answer = (await asyncio.shield(call.answers))[place]
        except SourceError as failure:
            raise failure.again() from failure
        finally:
            call.waiting -= 1
            if not call.waiting:
                call.answers.cancel()
        if isinstance(answer, SourceError):
            raise answer.again()
        return answer

    async def _made(self, key: K, call: _Call[Q, A]) -> Sequence[A | SourceError]:
        """Make a call, as a task of its own: it begins in the next turn, and then lets no further question in."""
        del self._open[key]
        return await self._ask(key, tuple(call.places))
