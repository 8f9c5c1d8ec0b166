"""The shop, served over ASGI."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.security.shop import attacked
from tests.support.client import Client


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with attacked(tmp_path) as client:
        yield client
