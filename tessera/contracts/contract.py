"""What holds for the adapters of every port: what they raise, what they remember, and what they leave behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import pytest

from tessera.adapters.base import Reach
from tessera.contracts.stand_in import StandIn
from tessera.renderer.core.errors import SourceError

A = TypeVar("A")
R = TypeVar("R")

VISITOR = "vis-4711"
"""The visitor whom the upstream knows."""
STRANGER = "nobody-0815"
"""The visitor whom it does not know."""
SECRET = "s3cret-of-the-contract"
"""What an adapter's credentials are, in tests."""
PATIENCE_S = 30.0
"""A guard against tests that never end; nothing is measured by it."""


class Staged(NamedTuple, Generic[A]):
    """An adapter and its upstream: what makes that fail (None: no more), and the stand-in where it speaks HTTP."""

    adapter: A
    fail: Callable[[Any], None]
    stand_in: StandIn | None = None


class Contract(Generic[A, R]):
    """The tests that hold for all ports. A port's own contract says how it is asked, and what a good answer is.

    Beside a port's contract, a class of tests inherits what stages its upstream: `OverHttp`, `OverStore`, or one of its
    own with the attribute ``faults`` and the method `staged`.
    """

    faults: ClassVar[Collection[str]]
    """Ways in which the upstream can fail, each of which is a `SourceError`."""

    def staged(self, folder: Path) -> AbstractAsyncContextManager[Staged[A]]:
        """Open an adapter and an upstream that knows `VISITOR`. ``folder`` is empty, and the test's own."""
        raise NotImplementedError

    async def ask(self, adapter: A, visitor_id: str) -> R:
        """Ask for what is known about a visitor, or, where the port is not about one, for anything."""
        raise NotImplementedError

    def check(self, answer: R, visitor_id: str) -> None:
        """Assert that this is what `VISITOR` gets, or `STRANGER`."""
        raise NotImplementedError

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give each test its faults."""
        if "fault" in metafunc.fixturenames:
            metafunc.parametrize("fault", self.faults)

    def test_what_is_known_comes_as_it_is(self, tmp_path: Path) -> None:
        async def scene(stage: Staged[A]) -> None:
            for visitor_id in (VISITOR, STRANGER):
                self.check(await self.ask(stage.adapter, visitor_id), visitor_id)

        self.play(tmp_path, scene)

    def test_a_failure_is_a_source_error_that_tells_nothing_of_the_visitor(self, tmp_path: Path, fault: str) -> None:
        async def scene(stage: Staged[A]) -> None:
            stage.fail(fault)
            with pytest.raises(SourceError) as failure:
                await self.ask(stage.adapter, VISITOR)
            told = f"{failure.value} {failure.value.source}"
            assert VISITOR not in told
            assert SECRET not in told
            if stage.stand_in is not None:
                asked = {each.url.host for each in stage.stand_in.asked}
                assert "elsewhere.example" not in asked, "a redirect was followed"

        self.play(tmp_path, scene)

    def test_nothing_is_remembered(self, tmp_path: Path, fault: str) -> None:
        async def scene(stage: Staged[A]) -> None:
            self.check(await self.ask(stage.adapter, VISITOR), VISITOR)
            stage.fail(fault)
            with pytest.raises(SourceError):
                await self.ask(stage.adapter, VISITOR)

        self.play(tmp_path, scene)

    def test_concurrent_answers_are_each_ones_own(self, tmp_path: Path) -> None:
        async def scene(stage: Staged[A]) -> None:
            visitors = [VISITOR, STRANGER] * 20
            answers = await asyncio.gather(*(self.ask(stage.adapter, each) for each in visitors))
            for visitor_id, answer in zip(visitors, answers, strict=True):
                self.check(answer, visitor_id)

        self.play(tmp_path, scene)

    def play(self, folder: Path, scene: Callable[[Staged[A]], Awaitable[None]]) -> None:
        """Play a scene against an adapter and its upstream."""

        async def staged() -> None:
            async with asyncio.timeout(PATIENCE_S), self.staged(folder) as stage:
                await scene(stage)

        asyncio.run(staged())


@asynccontextmanager
async def closing(stage: Staged[A], close: Callable[[], Awaitable[None]]) -> AsyncIterator[Staged[A]]:
    """Give a stage, and close it whatever happens; no connection is left then."""
    try:
        yield stage
    finally:
        await close()
        stage.fail(None)
        if stage.stand_in is not None:
            stand_in = stage.stand_in
            await stand_in.wait_until(lambda: stand_in.connections == 0)


def made(adapter: Any, settings: Mapping[str, object], reach: Reach) -> Any:
    """Make an adapter as the server does."""
    return adapter(adapter.Options(**settings), reach)
