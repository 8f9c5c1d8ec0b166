"""One browser and one demo shop for the tests of all files: each takes a second to start."""

from collections.abc import Iterator

import pytest

from tests.support.browser import Browser, browser
from tests.support.served import served


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser, for files that do not ask for flags of their own."""
    with browser(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo shop's address, without a slash at its end."""
    with served(tmp_path_factory.mktemp("state")) as tessera:
        yield tessera
