"""What runs beside the requests ends with the server, whatever becomes of one cancellation."""

import asyncio

from tessera.app import running


async def test_work_that_loses_its_cancellation_ends_all_the_same() -> None:
    lost: list[str] = []

    async def work() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost:
                    raise
                lost.append("as if a wait of its own had ended")

    async with asyncio.timeout(30):
        async with running(work()):
            await asyncio.sleep(0)
    assert lost


async def test_work_that_failed_does_not_keep_a_server_from_ending() -> None:
    async def work() -> None:
        raise OSError

    async with running(work()):
        await asyncio.sleep(0)
