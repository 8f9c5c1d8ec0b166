"""Work beside the answers: nobody waits for it, and it is finished or given up when the process ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Background:
    """Tasks that run beside the answers."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let work run; it must not raise."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, within_s: float = 1.0) -> None:
        """Wait for what runs, and give up what takes longer."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within_s)
            for task in late:
                task.cancel()
