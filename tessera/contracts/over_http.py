"""An upstream that speaks HTTP, to test adapters against, and what holds for those who ask one."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
from yarl import URL

from tessera.adapters.base import Reach
from tessera.adapters.sqlite import Store
from tessera.contracts.contract import SECRET, STRANGER, VISITOR, Contract, Staged, closing, made
from tessera.contracts.stand_in import FAULTS, Asked, Reply, StandIn
from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceUnavailable

MANGLED = 150
"""Ways in which a good reply is spoilt: each of its parts becomes something else."""
ODD_IDS = (
    *("a/../admin", "a?b=c#d", "..", ".", "%2e%2e", "ü ñ", "{visitor_id}"),
    *("a\r\nx-evil: 1", "a&b=c", "@evil.example", '"}) {x('),
)


class OverHttp(Contract[Any, Any]):
    """An upstream that speaks HTTP. Whatever host the adapter asks, a stand-in on this machine answers.

    ``settings`` are the adapter's own, as in `tessera.toml`; environment variables that they name hold a secret. What
    is answered is ``known``, and ``unknown`` where a request mentions `STRANGER`; an upstream with more to say has an
    `answer` of its own. ``wrong`` is JSON that must not be taken for an answer.
    """

    faults: ClassVar[Collection[str]] = [fault for fault in FAULTS if fault != "slow"]
    adapter: ClassVar[Any]
    settings: ClassVar[Mapping[str, object]] = {}
    known: ClassVar[Reply]
    unknown: ClassVar[Reply] = Reply(status=404)
    wrong: ClassVar[Sequence[object]] = ()

    def answer(self, asked: Asked) -> Reply:
        """Answer one request, while no fault is on."""
        return self.unknown if asked.mentions(STRANGER) else self.known

    @asynccontextmanager
    async def staged(self, folder: Path) -> AsyncIterator[Staged[Any]]:
        """Open the adapter and its stand-in."""
        variables = [str(value) for name, value in self.settings.items() if name.endswith("_variable")]
        async with AsyncExitStack() as opened, StandIn.listening(self.answer) as stand_in:
            environment = opened.enter_context(pytest.MonkeyPatch.context())
            for variable in variables:
                environment.setenv(variable, SECRET)
            client = await opened.enter_async_context(stand_in.client())
            reach = Reach(lambda: client, cast(Store, None), opened)
            adapter = made(self.adapter, self.settings, reach)

            def fail(fault: Any) -> None:
                stand_in.fault = fault

            async with closing(Staged(adapter, fail, stand_in), opened.aclose) as stage:
                yield stage

    def test_a_cancelled_call_ends_at_once_and_leaves_no_connection(self, tmp_path: Path) -> None:
        async def scene(stage: Staged[Any]) -> None:
            stand_in = stage.stand_in
            assert stand_in is not None
            await self.ask(stage.adapter, VISITOR)  # what all calls share, such as a login, is there by now
            stage.fail("slow")
            call = asyncio.ensure_future(self.ask(stage.adapter, VISITOR))
            await stand_in.wait_until(lambda: stand_in.hanging > 0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await stand_in.wait_until(lambda: stand_in.hanging == 0)
            stage.fail(None)
            self.check(await self.ask(stage.adapter, VISITOR), VISITOR)

        self.play(tmp_path, scene)

    def test_json_of_another_shape_is_a_source_error_at_worst(self, tmp_path: Path) -> None:
        async def scene(stage: Staged[Any]) -> None:
            assert stage.stand_in is not None
            await self.ask(stage.adapter, VISITOR)
            for document in self.wrong:
                stage.stand_in.instead = Reply(document)
                with pytest.raises(SourceGarbled):
                    await self.ask(stage.adapter, VISITOR)
            stage.stand_in.instead = None
            for stage.stand_in.mangled in range(MANGLED):
                with suppress(SourceError):
                    await self.ask(stage.adapter, VISITOR)

        self.play(tmp_path, scene)

    def test_an_upstream_that_wants_to_be_left_alone_is_heard(self, tmp_path: Path) -> None:
        async def scene(stage: Staged[Any]) -> None:
            stage.fail("rate limited")
            with pytest.raises(SourceUnavailable) as failure:
                await self.ask(stage.adapter, VISITOR)
            assert failure.value.retry_after_s == 3600

        self.play(tmp_path, scene)

    @pytest.mark.parametrize("visitor_id", ODD_IDS)
    def test_a_visitor_cannot_change_what_is_asked_of_whom(self, tmp_path: Path, visitor_id: str) -> None:
        async def scene(stage: Staged[Any]) -> None:
            assert stage.stand_in is not None
            await self.ask(stage.adapter, STRANGER)
            plain = stage.stand_in.asked.copy()
            try:
                await self.ask(stage.adapter, visitor_id)
            except SourceError:
                return  # it may refuse such an id
            odd = stage.stand_in.asked[len(plain) :]
            expected = {_shape_of(each.url) for each in plain}
            assert {_shape_of(each.url) for each in odd} <= expected

        self.play(tmp_path, scene)


def _shape_of(url: URL) -> tuple[object, ...]:
    """What of an address no visitor may change: host, the parts of its path by number, and what it asks by name."""
    url = URL(str(url))  # with what climbs up the path resolved, as whoever is asked may do (RFC 3986, section 5.2.4)
    return url.scheme, url.host, url.port, url.raw_path.count("/"), tuple(sorted(url.query)), url.fragment
