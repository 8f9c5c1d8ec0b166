"""Streamed pages in a real browser: the same document as in one piece, by the browser itself or by the script alone."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from tests.support.browser import Browser, Page, browser
from tests.support.served import served
from tests.support.sites import write_site

OLDER = "--disable-blink-features=DocumentPatching,HTMLProcessingInstruction"
"""Without declarative partial updates, as browsers are that do not have them."""

LET = Event()
"""Profiles come once a test lets them."""
AT_LAST_S = 60.0

PAGE = """
    page: home
    layouts: [{use: main}]
    slots:
      hero: {default: {template: hero.liquid}}
      name:
        default: {template: stranger.liquid}
        rules: [{name: Members, when: 'visitor.tier == "gold"', show: {template: name.liquid}}]
      row: {default: {template: row.liquid}}
      count: {default: {template: count.liquid}}
"""
TEMPLATES = {
    "home/layouts/main.liquid": """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>A shop</title>
<script>let ran = 0, told = [];
new MutationObserver(() => told.push(document.body?.innerText.includes("stranger")))
  .observe(document, {childList: true, subtree: true});
</script></head>
<body>{{ slots.hero }}<main>{{ slots.name }} and {{ slots.name }}</main>
<table><tbody><tr><td>one</td></tr>{{ slots.row }}</tbody></table>{{ slots.count }}<hr>{{ slots.hero }}
</body></html>
""",
    "hero.liquid": "<h2>Hero</h2><!-- a comment -->",
    "stranger.liquid": "<p>Hello stranger</p>",
    "name.liquid": "<p>Hello <b>{{ visitor.first_name }}</b></p>",
    "row.liquid": "<tr><td>{{ visitor.first_name }}</td></tr>",
    "count.liquid": "<i>{{ visitor.first_name }}</i><script>ran += 1</script>",
}
SETTINGS = """
    [site]
    locales = ["en", "de"]
    [http]
    content_policy = true
    [visitors]
    plain_cookie = "shop_customer"
    [profiles]
    adapter = "http"
    url = "http://127.0.0.1:PORT/profiles/{visitor_id}"
"""


class Profiles(BaseHTTPRequestHandler):
    """The service that knows visitors, and takes its time."""

    def do_GET(self) -> None:
        LET.wait(AT_LAST_S)
        body = json.dumps({"traits": {"first_name": "<Ann>", "tier": "gold"}, "segments": []}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def tessera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    profiles = ThreadingHTTPServer(("127.0.0.1", 0), Profiles)
    Thread(target=profiles.serve_forever, daemon=True).start()
    write_site(folder, {"home.yaml": PAGE}, TEMPLATES)
    (folder / "tessera.toml").write_text(SETTINGS.replace("PORT", str(profiles.server_port)))
    secret = {"TESSERA_SECRET": "a secret for this test"}
    with served(tmp_path_factory.mktemp("state"), "--site", str(folder), environment=secret) as address:
        yield address
    profiles.shutdown()
    profiles.server_close()


@pytest.fixture(scope="module", params=["native", "older"])
def chromium(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    flags = [OLDER] if request.param == "older" else []
    with browser(tmp_path_factory.mktemp("profile"), *flags) as running:
        yield running


def stream(page: Page, address: str, *, scripts: bool = True) -> None:
    """Load a page for somebody new, whose profile comes when the default is there to be seen."""
    page.run(f'document.cookie = "shop_customer=v{time.monotonic_ns()}"; document.cookie = "tessera_consent=granted"')
    LET.clear()
    page.call("Emulation.setScriptExecutionDisabled", value=not scripts)
    page.call("Page.navigate", url=f"{address}/pages/home?compose=stream")
    page.until('document.body?.innerText.includes("Hello stranger") && location.search')
    LET.set()
    page.until('document.readyState == "complete"')


def test_a_page_whose_slow_fragments_are_filled_in_is_the_page_in_one_piece(chromium: Browser, tessera: str) -> None:
    page = chromium.page(f"{tessera}/pages/home")
    stream(page, tessera)
    streamed, ran, told = page.html(), page.run("ran"), page.run("told")
    assert page.complaints() == []
    page.go(f"{tessera}/pages/home")
    assert streamed == page.html()
    assert "Hello <b>&lt;Ann&gt;</b>" in streamed
    assert (ran, page.run("ran")) == (1, 1)
    assert (any(told), told[-1]) == (True, False)


def test_without_scripts_there_is_the_page_or_its_defaults(chromium: Browser, tessera: str) -> None:
    page = chromium.page(f"{tessera}/pages/home")
    stream(page, tessera, scripts=False)
    shown = page.run("document.body.innerText")
    assert ("<Ann>" in shown) != ("Hello stranger" in shown)
    assert shown.count("Hero") == 2
