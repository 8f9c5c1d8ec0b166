"""The layout servers of docs/including.md, as it describes them, with the demo shop behind them."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.docs import example
from tests.support.npm import client_packages
from tests.support.pages import shop
from tests.support.ports import free_port, wait_for
from tests.support.programs import needs
from tests.support.served import served
from tests.support.sites import write_site

DEMO = Path(__file__).parents[2] / "tessera" / "demo"
HERO = "Carry less. Walk further."
OWN = "The winter range is in."
TAILOR_PAGE = "<!doctype html><html><head><title>A shop</title></head><body>{}</body></html>"


@contextmanager
def running(folder: Path, script: str, replaced: Mapping[str, str]) -> Iterator[str]:
    """Run a script of the docs with Node in a folder; gives its address, which stands for port 3000 in the script."""
    port = free_port()
    for old, new in {**replaced, "listen(3000)": f'listen({port}, "127.0.0.1")'}.items():
        script = script.replace(old, new)
    (folder / "server.mjs").write_text(script)
    (folder / "node_modules").symlink_to(client_packages() / "node_modules")
    with subprocess.Popen([needs("node", "nodejs"), "server.mjs"], cwd=folder) as process:
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Tessera that reaches neither profiles nor lists."""
    down = {
        f"TESSERA_{name}__{setting}": value
        for name in ("LISTS", "PROFILES")
        for setting, value in (("ADAPTER", "http"), ("URL", f"http://127.0.0.1:{free_port()}"))
    }
    with served(tmp_path_factory.mktemp("state"), environment=down) as tessera:
        yield tessera


def maren(tessera: str) -> dict[str, str]:
    """Return the cookies of a member of the demo shop."""
    return dict(httpx.get(f"{tessera}/personas/maren?to=/").cookies)


def podium(folder: Path, tessera: str) -> AbstractContextManager[str]:
    return running(folder, example("including.md", "Podium", "js"), {"http://127.0.0.1:8000": tessera})


def test_tailor_shows_a_visitors_fragment_and_has_its_own_fallback_where_it_fails(tmp_path: Path, failing: str) -> None:
    page = TAILOR_PAGE.format(example("including.md", "Tailor", "html"))
    script = example("including.md", "Tailor", "js")
    (tmp_path / "templates").mkdir()
    with served(tmp_path / "state") as tessera, shop(tessera, {"/winter.html": f"<p>{OWN}</p>"}) as own:
        page = page.replace("http://127.0.0.1:3000", own)
        (tmp_path / "templates" / "well.html").write_text(page.replace("http://127.0.0.1:8000", tessera))
        rail = page.replace("http://127.0.0.1:8000", failing).replace("/home/hero", "/home/rail")
        (tmp_path / "templates" / "failing.html").write_text(rail)
        with running(tmp_path, script, {}) as layout:
            assert HERO in httpx.get(f"{layout}/well").text
            assert "Maren" in httpx.get(f"{layout}/well", cookies=maren(tessera)).text
            page_of_failing = httpx.get(f"{layout}/failing")
            assert (page_of_failing.status_code, OWN in page_of_failing.text) == (200, True)


def test_podium_shows_what_is_live_and_keeps_a_fallback_for_when_nothing_is(tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(DEMO, site)
    with ExitStack() as stopped_last:
        with served(tmp_path / "state", "--site", str(site)) as tessera:
            layout = stopped_last.enter_context(podium(tmp_path, tessera))
            assert HERO in httpx.get(layout).text
            (site / "templates" / "home" / "hero.liquid").write_text("<h2>Something new, {{ visitor.id }}</h2>")
            assert (
                "Something new" in httpx.get(f"{tessera}/fragments/home/hero").text
            )  # loaded: layouts wait for a second
            assert "Something new, </h2>" in httpx.get(layout).text
            assert "Something new, maren</h2>" in httpx.get(layout, cookies=maren(tessera)).text
        page = httpx.get(layout)
        assert (page.status_code, "Something new, </h2>" in page.text) == (200, True)


def test_podium_has_the_fallback_for_a_visitor_whose_slot_fails(tmp_path: Path, failing: str) -> None:
    known = maren(failing)
    assert httpx.get(f"{failing}/podium/home/hero/content", cookies=known).status_code == 503
    with podium(tmp_path, failing) as layout:
        page = httpx.get(layout, cookies=known)
        assert (page.status_code, HERO in page.text) == (200, True)


def test_layouts_load_the_assets_that_a_fragment_states(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    shown = {"hero.liquid": "{% # assets: /css/hero.css, /js/hero.js %}<h2>Something new</h2>"}
    site = write_site(
        tmp_path / "site", {"home.yaml": "page: home\nslots: {hero: {default: {template: hero.liquid}}}\n"}, shown
    )
    (site / "tessera.toml").write_text('[site]\nlocales = ["en", "de"]\n[server]\nmode = "development"\n')
    with served(tmp_path / "state", "--site", str(site)) as tessera:
        page = TAILOR_PAGE.format(f'<fragment src="{tessera}/fragments/home/hero" primary></fragment>')
        (tmp_path / "templates" / "hero.html").write_text(page)
        with running(tmp_path, example("including.md", "Tailor", "js"), {}) as layout:
            text = httpx.get(f"{layout}/hero").text
            assert text.count('<link rel="stylesheet" href="/css/hero.css">') == 1
            assert "Something new" in text
        (tmp_path / "node_modules").unlink()
        with podium(tmp_path, tessera) as layout:
            assert "Something new" in httpx.get(layout).text
