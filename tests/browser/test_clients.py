"""The examples of docs/including.md that run in a browser, each with its real library and the demo shop."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.browser import Browser
from tests.support.docs import example
from tests.support.npm import client_packages
from tests.support.pages import Page, shop
from tests.support.ports import free_port
from tests.support.served import served

HEAD = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A shop</title>\n'
OWN = "The winter range is in."
HERO = "Carry less. Walk further."
SCRIPTS = {
    "h-include": ("/h-include.js", "h-include/lib/h-include.js"),
    "include-fragment": ("/include-fragment-element.js", "@github/include-fragment-element/dist/bundle.js"),
    "htmx": ("/htmx.js", "htmx.org/dist/htmx.js"),
    "Turbo": ("/turbo.js", "@hotwired/turbo/dist/turbo.es2017-umd.js"),
}
CLIENTS = ("tessera-fragment", *SCRIPTS)


class Shops(NamedTuple):
    """One whose Tessera is well, one whose lists are down, and one whose Tessera is gone."""

    well: str
    failing: str
    gone: str


def pages() -> dict[str, Page]:
    """Return each client's example, including the hero; one below `rail/`, including that; and the scripts."""
    modules = client_packages() / "node_modules"
    found: dict[str, Page] = {path: modules / file for path, file in SCRIPTS.values()}
    for client in CLIENTS:
        text = HEAD + example("including.md", client, "html")
        found[f"/{client}"] = text
        found[f"/rail/{client}"] = text.replace("/home/hero", "/home/rail")
    found["/included"] = HEAD + example("including.md", "tessera-fragment", "html", 1)
    return found


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory, demo: str) -> Iterator[Shops]:
    nobody = f"http://127.0.0.1:{free_port()}"
    down = {"TESSERA_LISTS__ADAPTER": "http", "TESSERA_LISTS__URL": nobody}
    with ExitStack() as opened:
        failing = opened.enter_context(served(tmp_path_factory.mktemp("state"), environment=down))
        shown = pages()
        gone = {**shown, "/assets/tessera-fragment.js": SCRIPT}
        yield Shops(*(opened.enter_context(shop(*each)) for each in ((demo, shown), (failing, shown), (nobody, gone))))


SCRIPT = Path(__file__).parents[2] / "tessera" / "renderer" / "assets" / "tessera-fragment.js"


@pytest.mark.parametrize("client", [*CLIENTS, "included"])
def test_a_fragment_stands_in_the_page(chromium: Browser, shops: Shops, client: str) -> None:
    page = chromium.page(f"{shops.well}/{client}")
    page.until(f"document.body.innerText.includes({HERO!r})")
    assert OWN not in page.html()
    assert page.complaints() == []


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("shop", ["failing", "gone"])
def test_no_failure_breaks_the_page(chromium: Browser, shops: Shops, client: str, shop: str) -> None:
    page = chromium.page()
    page.go(f"{getattr(shops, shop)}/rail/{client}")
    page.until("performance.getEntriesByType('resource').some(({ name }) => name.includes('/fragments/'))")
    shown = "" if (client, shop) == ("Turbo", "failing") else OWN  # Turbo shows what the slot shows: nothing
    page.until(f"document.body.innerText.trim() == {shown!r}")
    page.run("new Promise((go) => setTimeout(go, 200))")
    assert page.run("document.body.innerText").strip() == shown
