"""The load generator sees what is broken, and whose data stand where."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from support.canaries import canary, is_whole, strangers
from support.faulty import Faulty
from support.load import Load, quantile, send
from support.visits import SHOP, requests

ASKED = requests(7, 1, SHOP)
WHOLE = b"<!doctype html>\n<p>Hello, %s.</p>\n</html>\n"


@pytest.fixture
async def server() -> AsyncIterator[Faulty]:
    async with Faulty(WHOLE % canary("v7", "profiles").encode()) as server:
        yield server


async def load(server: Faulty) -> Load:
    port = int(server.url.rpartition(":")[2])
    return await asyncio.to_thread(lambda: send(port, ASKED, are_pages=True, connections=1))


async def test_a_whole_page_with_the_visitors_own_data_is_right(server: Faulty) -> None:
    found = await load(server)
    assert (found.answers, found.failures, found.leaks) == (1, 0, 0)
    assert len(found.latencies_ms) == 1


@pytest.mark.parametrize("behaviour", ["reset", "cut", "error"])
async def test_an_answer_that_is_broken_off_or_is_no_page_is_a_failure(server: Faulty, behaviour: str) -> None:
    server.behaviour = behaviour
    found = await load(server)
    assert (found.answers, found.failures, found.leaks) == (1, 1, 0)


async def test_anothers_data_are_a_leak(server: Faulty) -> None:
    server.body = WHOLE % canary("v8", "lists").encode()
    found = await load(server)
    assert (found.answers, found.failures, found.leaks) == (1, 0, 1)


def test_strangers_are_all_but_who_asked() -> None:
    body = WHOLE % f"{canary('v7', 'profiles')} {canary('v70', 'lists')}".encode()
    assert strangers(ASKED[0], body) == {"v70"}
    assert strangers(b"GET / HTTP/1.1\r\n\r\n", body) == {"v7", "v70"}


@pytest.mark.parametrize("body", [b"", WHOLE[:-3], WHOLE[2:], b"<p>sorry</p>"])
def test_what_is_cut_at_either_end_is_not_whole(body: bytes) -> None:
    assert is_whole(WHOLE)
    assert not is_whole(body)


def test_a_quantile_is_what_its_share_does_not_exceed() -> None:
    numbers = [float(number) for number in range(1000)]
    assert (quantile(numbers, 0.5), quantile(numbers, 0.999), quantile([3.0], 0.999)) == (500.0, 999.0, 3.0)
