"""What holds for all tests of publishing: workers and caches are waited for as long as it takes."""

import pytest


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("carrier.WORKERS_S", "purging.WORKERS_S", "purging.MACHINES_S", "purging.DOWNSTREAM_S"):
        monkeypatch.setattr(f"tessera.publishing.{name}", 60.0)
