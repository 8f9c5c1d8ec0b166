"""Varnish in front, by the configuration in `deploy/`: as many stored copies as there are different outputs."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import NamedTuple

import httpx
import pytest

from tests.support.ports import free_port, wait_for
from tests.support.programs import needs
from tests.support.served import client_of, served
from tests.support.sites import write_site

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "varnish.vcl"
ALONE = ("-F", "-s", "malloc,64m")
TIERS = ("none", "silver", "gold")
RULES = """
    page: home
    params: {q: string}
    layouts: [{use: main}]
    slots:
      nothing: {default: nothing}
      hero:
        default: {template: plain.liquid}
        rules:
          - name: Gold
            when: visitor.tier == "gold"
            show: {template: gold.liquid}
          - name: Phones
            when: device.type == "mobile"
            show: {template: phone.liquid}
      name:
        default: {template: name.liquid}
      same:
        default: {template: same.liquid}
"""
VARIED = """
    page: varied
    layouts:
      - use: gold
        when: visitor.tier == "gold"
      - use: main
    slots:
      name: {default: {template: name.liquid}}
"""
TEMPLATES = {
    "varied/layouts/gold.liquid": "<main>{{ slots.name }}</main>",
    "varied/layouts/main.liquid": "<i>{{ slots.name }}</i>",
    "plain.liquid": "<p>plain</p>",
    "gold.liquid": "<p>gold</p>",
    "phone.liquid": "<p>phone</p>",
    "name.liquid": "<p>Hello {{ visitor.first_name }}</p>",
    "same.liquid": "<p>same</p>",
    "home/layouts/main.liquid": "<!doctype html><title>{{ param.q }}</title>"
    "{{ slots.hero }} {{ slots.name }}{{ slots.nothing }}{{ slots.same }}",
}
SETTINGS = """
    [site]
    locales = ["en", "de"]
    [edge]
    kind = "varnish"
    [http]
    max_age_s = 3600
    [visitors]
    plain_cookie = "shop_customer"
    [profiles]
    adapter = "http"
    fresh_s = 3600
    url = "http://127.0.0.1:PORT/profiles/{visitor_id}"
"""
PAGE = '<html><body><esi:include src="/fragments/home/hero"/><esi:include src="/fragments/home/name"/></body></html>'
PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36"


class Shop(BaseHTTPRequestHandler):
    """The shop, whose page has a validator of its own, and beside it the service that knows its visitors."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a body, which is sent after its head, would wait for 40 ms otherwise

    def do_GET(self) -> None:
        if self.path.startswith("/profiles/"):
            number = int(self.path.rpartition("/")[2].removeprefix("v"))
            traits = {"first_name": f"v{number}", "tier": TIERS[number % 3]}
            body, kind = json.dumps({"traits": traits, "segments": []}), "application/json"
        else:
            body, kind = PAGE, "text/html"
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("etag", '"page"')
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Front(NamedTuple):
    """Varnish, and the Tessera behind it."""

    http: httpx.Client
    tessera: str


@contextmanager
def shop() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def varnish() -> Iterator[Front]:
    program = needs("varnishd", "varnish")
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # varnishd gives up being root before it reads its configuration
        yield from in_front(program, folder)


def in_front(program: str, folder: Path) -> Iterator[Front]:
    site = write_site(folder / "site", {"home.yaml": RULES, "varied.yaml": VARIED}, TEMPLATES)
    with shop() as shop_port:
        (site / "tessera.toml").write_text(SETTINGS.replace("PORT", str(shop_port)))
        secret = {"TESSERA_SECRET": "a secret for this test"}
        with served(folder / "state", "--site", str(site), environment=secret) as tessera:
            text = CONFIGURATION.read_text().replace('"8000"', f'"{tessera.rpartition(":")[2]}"')
            (folder / "varnish.vcl").write_text(text.replace('"8001"', f'"{shop_port}"'))
            port = free_port()
            process = subprocess.Popen(
                [
                    program,
                    "-F",
                    "-n",
                    str(folder / "work"),
                    "-a",
                    f"127.0.0.1:{port}",
                    "-f",
                    str(folder / "varnish.vcl"),
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                wait_for(port)
                with client_of(f"http://127.0.0.1:{port}") as http:
                    yield Front(http, tessera)
            finally:
                process.terminate()
                process.wait(timeout=60)


def headers(number: int | None, agent: str = "x") -> dict[str, str]:
    cookies = "tessera_consent=granted" if number is None else f"tessera_consent=granted; shop_customer=v{number}"
    return {"cookie": cookies, "user-agent": agent}


def is_hit(reply: httpx.Response) -> bool:
    """A hit names two transactions: this one, and the one that brought in the copy."""
    return len(reply.headers["x-varnish"].split()) == 2


def test_there_are_as_many_copies_as_outputs_however_many_visitors(varnish: Front) -> None:
    bodies: dict[int, str] = {}
    misses: list[str] = []
    for number in range(300):
        agent = PHONE if number % 2 else "x"
        reply = varnish.http.get("/fragments/home/hero", headers=headers(number, agent))
        bodies[number] = reply.text
        if not is_hit(reply):
            misses.append(reply.text)
    expected = {n: "<p>gold</p>" if n % 3 == 2 else "<p>phone</p>" if n % 2 else "<p>plain</p>" for n in range(300)}
    assert bodies == expected
    assert sorted(misses) == ["<p>gold</p>", "<p>phone</p>", "<p>plain</p>"]


def test_the_second_time_neither_the_handshake_nor_the_fragment_is_asked_for(varnish: Front) -> None:
    for _ in range(2):
        reply = varnish.http.get("/fragments/home/same", headers=headers(1))
    assert is_hit(reply)
    assert (reply.text, reply.headers["cache-control"].split(",")[0]) == ("<p>same</p>", "public")


def test_what_is_private_is_everybodys_own(varnish: Front) -> None:
    for number in (1, 2, 1):
        reply = varnish.http.get("/fragments/home/name", headers=headers(number))
        assert (reply.text, is_hit(reply)) == (f"<p>Hello v{number}</p>", False)


def test_a_digest_that_a_client_sends_counts_for_nothing(varnish: Front) -> None:
    gold = varnish.http.get("/fragments/home/hero", headers=headers(2))
    assert gold.text == "<p>gold</p>"
    context = httpx.get(f"{varnish.tessera}/context/home", headers=headers(2)).headers["tessera-context"]
    digest = dict(member.split("=") for member in context.split(", "))["hero"]
    spoofed = {**headers(3), "x-tessera-digest": digest, "tessera-context": context}
    assert varnish.http.get("/fragments/home/hero", headers=spoofed).text == "<p>plain</p>"


def test_a_page_that_includes_fragments_is_each_visitors(varnish: Front) -> None:
    for number, hero in ((2, "gold"), (3, "plain"), (2, "gold")):
        reply = varnish.http.get("/", headers={**headers(number), "if-none-match": '"page"'})
        assert (reply.status_code, "etag" in reply.headers) == (200, False)
        assert reply.text == f"<html><body><p>{hero}</p><p>Hello v{number}</p></body></html>"


@pytest.mark.parametrize(
    "path", ["/pages/home", "/de/pages/home?q=a%26b", "/pages/home?q=%22/%3E%3Cesi:x&q=2&compose=ssi"]
)
def test_a_whole_page_is_the_same_byte_for_byte_of_a_layout_that_is_kept(varnish: Front, path: str) -> None:
    for number in (2, 3, 4):
        reply = varnish.http.get(path, headers={**headers(number), "if-none-match": "*"})
        own = path.replace("&compose=ssi", "")
        assert reply.status_code == 200
        assert reply.content == httpx.get(varnish.tessera + own, headers=headers(number)).content
        assert (reply.headers["cache-control"], "etag" in reply.headers) == ("private, no-cache", False)
    assert is_hit(reply)


def test_a_layout_that_varies_has_one_copy_for_each_that_is_shown(varnish: Front) -> None:
    missed = []
    for number in range(30):
        reply = varnish.http.get("/pages/varied", headers=headers(number))
        around = "main" if number % 3 == 2 else "i"
        assert reply.text == f"<{around}><p>Hello v{number}</p></{around}>"
        assert "no-store" not in reply.headers["cache-control"]
        if not is_hit(reply):
            missed.append(around)
    assert sorted(missed) == ["i", "main"]
