"""The demo shop in a real browser."""

import re
from pathlib import Path

import pytest

from tests.support.chromium import dump


def hero(document: str) -> str:
    found = re.search(r"<section class=\"tf-hero.*?</section>", document, re.DOTALL)
    assert found, document[:2000]
    return found[0]


def test_two_personas_see_different_heroes_and_no_console_error(demo: str, tmp_path: Path) -> None:
    seen = {}
    for persona in ("first-time", "maren"):
        document, console = dump(f"{demo}/personas/{persona}?to=/pages/home", tmp_path / persona)
        assert console == []
        seen[persona] = hero(document)
    assert seen["first-time"] != seen["maren"]


@pytest.mark.parametrize("page", ["/", "/pages/product?sku=", "/pages/category?category=tents", "/pages/cart"])
def test_no_page_of_the_shop_logs_an_error(demo: str, tmp_path: Path, page: str) -> None:
    document, console = dump(demo + page, tmp_path)
    assert console == []
    assert "</html>" in document
