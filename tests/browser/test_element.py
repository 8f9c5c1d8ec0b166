"""`<tessera-fragment>` in a real browser."""

from collections.abc import Iterable, Iterator
from threading import Event

import pytest

from tests.support.browser import Browser, Page
from tests.support.pages import Page as Served
from tests.support.pages import shop
from tests.support.ports import free_port
from tests.support.served import served

HEAD = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A shop</title>
<style>body { margin: 0 } main { height: 200px }</style>
<script>
  let told = [], shifted = 0, seen;
  addEventListener("DOMContentLoaded", () => {
    seen = document.querySelector("tessera-fragment")?.checkVisibility({ visibilityProperty: true });
  });
  for (const type of ["tessera-load", "tessera-error"])
    addEventListener(type, ({ target, detail }) =>
      told.push([type.slice(8), target.id, detail?.name ?? detail ?? null]));
  new PerformanceObserver((seen) => { for (const { value } of seen.getEntries()) shifted += value; })
    .observe({ type: "layout-shift", buffered: true });
</script>
<script src="/assets/tessera-fragment.js"></script>
"""
HERO = "Carry less. Walk further."


LET = Event()
"""What takes its time goes on once a test lets it."""
AT_LAST_S = 60


def slowly() -> Iterable[str]:
    LET.wait(AT_LAST_S)
    yield "<main>made</main>"


def in_two_pieces() -> Iterable[str]:
    yield HEAD + '<tessera-fragment id="a" src="/made"><p>one</p>'
    LET.wait(AT_LAST_S)
    yield "<p>two</p></tessera-fragment><p>after</p>"


def element(attributes: str, inside: str = "<p>fallback</p>") -> str:
    return f'{HEAD}<tessera-fragment id="a" {attributes}>{inside}</tessera-fragment><p>after</p>'


SLOW = 'src="/slow" timeout="60000"'
NEVER = f"http://127.0.0.1:{free_port()}/"
PAGES: dict[str, Served] = {
    "/made": "<main>made</main>",
    "/script": "<main>made</main><script>told.push('script')</script>",
    "/slow": slowly,
    "/plain": element('src="/fragments/home/hero"'),
    "/reserved": element(f'{SLOW} height="200"'),
    "/unreserved": element(SLOW),
    "/taken": element(SLOW) + '<script>a = document.getElementById("a"); a.remove()</script>',
    "/lazy": HEAD + "<div style='height: 3000px'></div>" + element('lazy src="/made" height="200"'),
    "/tight": element('src="/slow" timeout="100"'),
    "/inert": element('src="/script"'),
    "/pieces": in_two_pieces,
    "/included": element('included src="/made"', "<!-- a --><section>from the server</section>"),
    "/not-included": element('included src="/made"', '<!--#include virtual="/made" -->'),
    "/not-included-esi": element('included src="/made"', '<esi:include src="/made"/>'),
    "/missing": element('src="/fragments/home/nothing"'),
    "/moved": element('src="/personas/maren?to=/made"'),
    "/no-html": element('src="/assets/tessera-fragment.js"'),
    "/nobody": element(f'src="{NEVER}"'),
    "/down": element('src="/fragments/home/rail?on_error=status"'),
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    failing = {"TESSERA_LISTS__ADAPTER": "http", "TESSERA_LISTS__URL": NEVER}
    with served(tmp_path_factory.mktemp("state"), environment=failing) as tessera, shop(tessera, PAGES) as given:
        yield given


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    LET.clear()
    yield chromium.page()
    LET.set()


def inside(page: Page) -> str:
    return str(page.run('document.getElementById("a").innerHTML'))


def is_visible(page: Page) -> bool:
    return bool(page.run('document.getElementById("a").checkVisibility({ visibilityProperty: true })'))


def told(page: Page) -> object:
    page.until("told.length")
    return page.run("told")


def test_a_fragment_takes_the_place_of_what_is_inside(page: Page, address: str) -> None:
    page.go(f"{address}/plain")
    assert told(page) == [["load", "a", None]]
    assert HERO in inside(page)
    assert "fallback" not in inside(page)
    assert is_visible(page)
    assert page.complaints() == []


def test_it_comes_for_the_visitor_whose_browser_it_is(page: Page, address: str) -> None:
    page.go(f"{address}/personas/maren?to=/plain")
    told(page)
    assert "Maren" in inside(page)


def test_nothing_inside_is_seen_before_the_fragment_is(page: Page, address: str) -> None:
    page.go(f"{address}/unreserved")
    assert (inside(page), is_visible(page)) == ("<p>fallback</p>", False)
    LET.set()
    told(page)
    assert (page.run("seen"), inside(page), is_visible(page)) == (False, "<main>made</main>", True)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("down", 503),
        ("missing", 404),
        ("moved", "TypeError"),
        ("no-html", 200),
        ("nobody", "TypeError"),
        ("tight", "TimeoutError"),
    ],
)
def test_what_is_inside_stays_where_no_fragment_comes(page: Page, address: str, path: str, reason: object) -> None:
    page.go(f"{address}/{path}")
    assert told(page) == [["error", "a", reason]]
    assert (inside(page), is_visible(page)) == ("<p>fallback</p>", True)


def test_nothing_jumps_where_space_is_reserved(page: Page, address: str) -> None:
    for path in ("reserved", "unreserved"):
        LET.clear()
        page.go(f"{address}/{path}")
        LET.set()
        told(page)
        page.run("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(go, 50))))")
        if path == "reserved":
            assert page.run("shifted") == 0
        else:
            page.until("shifted > 0")


def test_a_lazy_one_waits_until_it_is_nearly_in_view(page: Page, address: str) -> None:
    page.go(f"{address}/lazy")
    page.run("new Promise((go) => setTimeout(go, 300))")
    assert (page.run("told"), inside(page), is_visible(page)) == ([], "<p>fallback</p>", True)
    page.run("scrollTo(0, 2200)")
    assert told(page) == [["load", "a", None]]
    assert page.run("shifted") == 0


def test_scripts_in_a_fragment_do_not_run(page: Page, address: str) -> None:
    page.go(f"{address}/inert")
    assert told(page) == [["load", "a", None]]
    assert "script" in inside(page)


def test_one_that_is_taken_away_asks_no_longer(page: Page, address: str) -> None:
    page.go(f"{address}/taken")
    LET.set()
    page.run('fetch("/slow").then((reply) => reply.text())')  # asked for later, so answered later than the fragment
    assert page.run("[told, a.innerHTML]") == [[], "<p>fallback</p>"]
    page.run("document.body.append(a)")
    assert told(page) == [["load", "a", None]]


def test_one_that_moves_does_not_ask_again(page: Page, address: str) -> None:
    page.go(f"{address}/plain")
    told(page)
    page.run('a = document.getElementById("a"), document.body.append(a)')
    page.run("new Promise((go) => setTimeout(go, 300))")
    assert len(page.run("told")) == 1


def test_what_the_parser_brings_later_is_replaced_as_well(page: Page, address: str) -> None:
    page.call("Page.navigate", url=f"{address}/pieces")
    page.until(
        'document.getElementById("a")?.textContent.includes("one") && !document.body.textContent.includes("two")'
    )
    LET.set()
    page.until('document.readyState == "complete"')
    told(page)
    assert page.run("document.body.innerText") == "made\n\nafter"


def test_what_the_server_included_is_left_alone(page: Page, address: str) -> None:
    page.go(f"{address}/included")
    page.run("new Promise((go) => setTimeout(go, 300))")
    assert (page.run("told"), is_visible(page)) == ([], True)
    assert "from the server" in inside(page)


@pytest.mark.parametrize("path", ["not-included", "not-included-esi"])
def test_what_no_server_included_is_asked_for(page: Page, address: str, path: str) -> None:
    page.go(f"{address}/{path}")
    assert told(page) == [["load", "a", None]]
    assert inside(page) == "<main>made</main>"


def test_without_scripts_what_is_inside_is_shown(page: Page, address: str) -> None:
    page.go(f"{address}/plain", scripts=False)
    assert "fallback" in page.html()
    assert is_visible(page)


def test_a_script_that_is_there_twice_does_no_harm(page: Page, address: str) -> None:
    page.go(f"{address}/plain")
    page.run(
        'new Promise((go) => document.head.append(Object.assign(document.createElement("script"), '
        '{ src: "/assets/tessera-fragment.js", onload: go })))'
    )
    assert told(page) == [["load", "a", None]]
    assert page.complaints() == []
