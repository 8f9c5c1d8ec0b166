"""Platforms, made ready to be asked, and what they are asked through."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tessera.adapters.client import Client
from tessera.adapters.registry import adapter_of
from tessera.renderer.core.ports import Profiles
from tests.adapters.vendors import SETTINGS
from tests.support.reach import reach_of
from tests.support.vendors import PATIENCE_S, behind_a_socket

Make = Callable[..., Profiles]


@pytest.fixture
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client that waits for a vendor longer than any test takes, or for as many seconds as its parameter says."""
    async with behind_a_socket(getattr(request, "param", PATIENCE_S)) as client:
        yield client


@pytest.fixture
async def make(client: Client, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """What makes a platform's adapter, by its name and further settings."""
    monkeypatch.setenv("VENDOR_TOKEN", "s3cret")
    async with AsyncExitStack() as opened:

        def made(name: str, **more: Any) -> Profiles:
            reach = reach_of(client)
            opened.push_async_callback(reach.closing.aclose)
            adapter = adapter_of("profiles", name)
            profiles: Profiles = adapter(adapter.Options(**{**SETTINGS[name], **more}), reach)
            return profiles

        yield made
