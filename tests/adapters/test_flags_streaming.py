"""GrowthBook's stream, at a real socket: a change is there at once, and a stream that breaks costs nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, cast

import pytest

from tessera.adapters import streaming
from tessera.adapters.base import Reach
from tessera.adapters.client import MAX_REPLY_BYTES, Client
from tessera.adapters.flags_growthbook import GrowthBookFlags, GrowthBookOptions
from tessera.adapters.sqlite import Store
from tessera.adapters.streaming import next_wait_s
from tessera.renderer.core.ports import FlagQuery

ON = FlagQuery((("on", "boolean"),), (("id", "ann"),))
PATIENCE_S = 60.0
"""How long to wait for what comes by itself, however busy the machine."""


def features(on: object) -> dict[str, object]:
    return {"features": {"on": {"defaultValue": on}}}


class GrowthBook:
    """GrowthBook's two addresses. ``streams`` is what it answers at the second one: None is a status of 404."""

    def __init__(self) -> None:
        self.on: object = True
        self.offered = True
        self.streams: str | None = "text/event-stream"
        self.asked: list[str] = []
        self.statuses: list[int] = []
        self.listeners: set[asyncio.StreamWriter] = set()
        self.connections = 0
        self.answering = asyncio.Event()
        self.answering.set()
        self.changed = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.count(1)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                self.asked.append(head.split(" ")[1])
                if head.startswith("get /sub/"):
                    await self.listen(reader, writer)
                    break
                await self.tell(head, writer)
        self.listeners.discard(writer)
        writer.close()
        await self.count(-1)

    async def count(self, more: int) -> None:
        self.connections += more
        async with self.changed:
            self.changed.notify_all()

    async def tell(self, head: str, writer: asyncio.StreamWriter) -> None:
        body = json.dumps(features(self.on)).encode()
        status = 304 if f'if-none-match: "{self.on}"'.lower() in head else 200
        said = f'HTTP/1.1 {status} Said\r\netag: "{self.on}"\r\n' + "x-sse-support: enabled\r\n" * self.offered
        said += f"content-length: {len(body)}\r\n" if status == 200 else ""
        await self.count(0)
        await self.answering.wait()
        self.statuses.append(status)
        writer.write(said.encode() + b"\r\n" + (body if status == 200 else b""))

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.streams is None:
            writer.write(b"HTTP/1.1 404 None\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            return
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: {self.streams}\r\nconnection: close\r\n\r\n".encode())
        self.listeners.add(writer)
        await self.count(0)
        await reader.read()  # until whoever listens goes, or is left

    def say(self, event: str, data: str) -> None:
        for each in self.listeners:
            each.write(f"event: {event}\ndata: {data}\n\n".encode())

    def break_off(self) -> None:
        for each in self.listeners:
            each.transport.abort()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S), self.changed:
            await self.changed.wait_for(condition)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "FIRST_WAIT_S", 0.02)


@asynccontextmanager
async def opened(growthbook: GrowthBook, **settings: Any) -> AsyncIterator[GrowthBookFlags]:
    """Open the adapter, and see that it leaves neither a connection nor a task behind."""
    server = await asyncio.start_server(growthbook.serve, "127.0.0.1", 0)
    host = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        async with AsyncExitStack() as closing:
            client = await closing.enter_async_context(Client(max_connections=2))
            given = {"host": host, "client_key": "sdk-abc", "streaming": True, "refresh_s": 3600, **settings}
            yield GrowthBookFlags(GrowthBookOptions(**given), Reach(lambda: client, cast(Store, None), closing))
        await growthbook.until(lambda: growthbook.connections == 0)
        assert [each for each in asyncio.all_tasks() if each is not asyncio.current_task()] == []


async def seen(adapter: GrowthBookFlags, on: object) -> None:
    """Return once the flag is such. Raises TimeoutError after a second."""
    async with asyncio.timeout(1):
        while await adapter.flags(ON) != {"on": on}:  # noqa: ASYNC110  # nobody tells of it: that is what is tested
            await asyncio.sleep(0.005)


async def listening(growthbook: GrowthBook, adapter: GrowthBookFlags) -> None:
    """Return once the stream is there, and what was missed before it was is at hand."""
    await adapter.flags(ON)
    told = len(growthbook.statuses)
    await growthbook.until(lambda: len(growthbook.listeners) == 1)
    async with asyncio.timeout(PATIENCE_S):
        while len(growthbook.statuses) == told:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_a_change_is_seen_within_a_second() -> None:
    growthbook = GrowthBook()
    async with opened(growthbook) as adapter:
        await listening(growthbook, adapter)
        assert growthbook.statuses == [200, 304]
        for on in (False, "maybe", True):
            growthbook.say("features", json.dumps(features(on)))
            await seen(adapter, on)
        assert growthbook.asked == ["/api/features/sdk-abc", "/sub/sdk-abc", "/api/features/sdk-abc"]


async def test_word_of_a_change_has_the_features_loaded() -> None:
    growthbook = GrowthBook()
    async with opened(growthbook) as adapter:
        await listening(growthbook, adapter)
        growthbook.on = False
        growthbook.say("features-updated", "")
        await seen(adapter, False)


async def test_a_stream_that_breaks_costs_nothing_and_what_it_missed_is_caught_up_with() -> None:
    growthbook = GrowthBook()
    async with opened(growthbook) as adapter:
        await listening(growthbook, adapter)
        growthbook.on = False
        growthbook.break_off()
        assert await adapter.flags(ON) == {"on": True}
        await seen(adapter, False)
        assert len(growthbook.listeners) == 1


@pytest.mark.parametrize("said", ["no json", "[]", "{}", '{"features": 7}', "[" * 100_000])
async def test_what_is_no_features_changes_none(said: str) -> None:
    growthbook = GrowthBook()
    async with opened(growthbook) as adapter:
        await listening(growthbook, adapter)
        growthbook.say("features", said)
        growthbook.say("other", json.dumps(features("other")))
        growthbook.say("features", json.dumps(features(False)))
        await seen(adapter, False)
        assert growthbook.asked.count("/sub/sdk-abc") == 1


async def test_an_event_that_is_too_large_is_not_read_to_its_end() -> None:
    growthbook = GrowthBook()
    async with opened(growthbook) as adapter:
        await listening(growthbook, adapter)
        growthbook.on = "caught up with"
        growthbook.say("features", "x" * (MAX_REPLY_BYTES + 1))
        await seen(adapter, "caught up with")


@pytest.mark.parametrize("streams", [None, "text/html"])
async def test_where_there_is_no_stream_features_are_refreshed(streams: str | None) -> None:
    growthbook = GrowthBook()
    growthbook.streams = streams
    async with opened(growthbook, refresh_s=0) as adapter:
        await adapter.flags(ON)
        growthbook.on = False
        await seen(adapter, False)


@pytest.mark.parametrize(("offered", "wanted"), [(False, True), (True, False)])
async def test_nobody_listens_where_a_stream_is_not_offered_or_not_wanted(offered: bool, wanted: bool) -> None:
    growthbook = GrowthBook()
    growthbook.offered = offered
    async with opened(growthbook, refresh_s=0, streaming=wanted) as adapter:
        await adapter.flags(ON)
        growthbook.on = False
        await seen(adapter, False)
        assert set(growthbook.asked) == {"/api/features/sdk-abc"}


async def test_features_that_are_the_same_are_not_sent_again() -> None:
    growthbook = GrowthBook()
    async with opened(growthbook, streaming=False, refresh_s=0, keep_s=0) as adapter:
        for _ in range(3):
            assert await adapter.flags(ON) == {"on": True}
        growthbook.on = False
        assert await adapter.flags(ON) == {"on": False}
        assert growthbook.statuses == [200, 304, 304, 200]


async def test_what_the_stream_brought_is_not_taken_for_the_version_that_was_loaded_before() -> None:
    growthbook = GrowthBook()
    async with opened(growthbook) as adapter:
        await listening(growthbook, adapter)
        growthbook.say("features", json.dumps(features("of the stream")))
        await seen(adapter, "of the stream")
        growthbook.say("features-updated", "")
        await seen(adapter, True)  # as GrowthBook answers; 304 would have been about what was loaded at first


async def test_features_that_were_asked_for_before_a_change_do_not_undo_it() -> None:
    growthbook = GrowthBook()
    async with opened(growthbook, refresh_s=0) as adapter:
        await listening(growthbook, adapter)
        growthbook.on = "older"
        growthbook.answering.clear()
        asked = len(growthbook.asked)
        await adapter.flags(ON)
        await growthbook.until(lambda: len(growthbook.asked) > asked)
        growthbook.on = "newer"
        growthbook.say("features", json.dumps(features("newer")))
        await seen(adapter, "newer")
        told = len(growthbook.statuses)
        growthbook.answering.set()
        async with asyncio.timeout(PATIENCE_S):
            while len(growthbook.statuses) < told + 2:
                assert await adapter.flags(ON) == {"on": "newer"}
                await asyncio.sleep(0)


def test_waits_grow_until_a_stream_stands() -> None:
    waits = [0.02]
    for _ in range(13):
        waits.append(next_wait_s(waits[-1], 0.0))
    assert waits[1:4] == [0.04, 0.08, 0.16]
    assert waits[-1] == 60
    assert next_wait_s(0, 0) == next_wait_s(60, 61) == 0.02
