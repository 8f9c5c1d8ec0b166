"""The demo shop in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chromium import dump
from tests.support.served import served


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("state")) as address:
        yield address


def hero(document: str) -> str:
    found = re.search(r"<section class=\"tf-hero.*?</section>", document, re.DOTALL)
    assert found, document[:2000]
    return found[0]


def test_two_personas_see_different_heroes_and_no_console_error(shop: str, tmp_path: Path) -> None:
    seen = {}
    for persona in ("first-time", "maren"):
        document, console = dump(f"{shop}/personas/{persona}?to=/pages/home", tmp_path / persona)
        assert console == []
        seen[persona] = hero(document)
    assert seen["first-time"] != seen["maren"]


@pytest.mark.parametrize("page", ["/", "/pages/product?sku=", "/pages/category?category=tents", "/pages/cart"])
def test_no_page_of_the_shop_logs_an_error(shop: str, tmp_path: Path, page: str) -> None:
    document, console = dump(shop + page, tmp_path)
    assert console == []
    assert "</html>" in document
