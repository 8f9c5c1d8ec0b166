"""What holds for all tests."""

import logging
import os
from collections.abc import Iterator
from functools import cache, partial

import httpx
import pytest
from httpx import _config
from hypothesis import settings

from tessera.renderer import understand
from tessera.renderer.core.device import Devices

# How fast the machine is decides nothing: what speed is promised, scripts in `benchmarks/` measure.
settings.register_profile("tessera", deadline=None)
settings.load_profile("tessera")
UPSTREAMS = ("PROFILES", "LISTS", "CATALOGUE", "FLAGS", "CARTS", "ASSIGNMENTS", "EVENTS")
os.environ |= {
    "TESSERA_SERVER__BUDGET_MS": "60000",
    "TESSERA_REDIS__DEADLINE_MS": "10000",
    **{f"TESSERA_{upstream}__DEADLINE_MS": "30000" for upstream in UPSTREAMS},
    **{f"TESSERA_{service}__CONNECT_MS": "30000" for service in UPSTREAMS[:4]},
}

# What tests ask with is no part of what they look at, and waits for as long as it takes.
logging.getLogger("httpx").setLevel(logging.WARNING)
_config.DEFAULT_TIMEOUT_CONFIG.read = _config.DEFAULT_TIMEOUT_CONFIG.connect = 60.0

LONG = ("tests/edge/", "tests/browser/", "tests/laboratory/", "tests/publishing/", "tests/security/", "tests/test_")
"""How the names of files begin that take long, few tests as they have: they start servers and browsers."""


def pytest_configure(config: pytest.Config) -> None:
    """Have files given to workers in the order of their tests; pytest-xdist begins with the most tests otherwise."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker has only that left when the others are done."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(scope="session", autouse=True)
def made_once() -> Iterator[None]:
    """Make once for all tests of a process what takes long to make and never changes.

    That is what recognises devices by a thousand patterns, anew for each application otherwise; and what `httpx.get`
    and `httpx.post`, which tests ask over plain HTTP with, trust of the world: 140 certificates, read for each request.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(understand, "Devices", cache(Devices))
        for ask in ("get", "post"):
            patched.setattr(httpx, ask, partial(getattr(httpx, ask), verify=False))
        yield
