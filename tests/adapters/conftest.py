"""What tests of adapters share."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tessera.adapters.client import make_client


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with make_client() as client:
        yield client
