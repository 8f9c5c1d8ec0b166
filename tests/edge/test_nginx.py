"""A page of somebody else's, in which the real nginx includes fragments, by the configuration in `deploy/`."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from markupsafe import escape

from tests.support.docs import example
from tests.support.ports import free_port, wait_for
from tests.support.programs import needs
from tests.support.served import client_of, served
from tests.support.sites import write_site

DEPLOY = Path(__file__).parents[2] / "deploy"
EDGE_SECRET = "known to nginx and Tessera"
OWN = "The winter range is in."
INCLUDE = '<!--#include virtual="/fragments/home/{}" -->'
AROUND = "<html><body>{}<hr></body></html>"
PAGES = {
    "index": f"<html><body>{INCLUDE.format('hero')}<hr>{INCLUDE.format('departments')}</body></html>",
    "hole": AROUND.format(INCLUDE.format("hero")),
    "stub": AROUND.format(example("including.md", "nginx", "html")),
    "rail": AROUND.format(example("including.md", "nginx", "html")).replace("/home/hero", "/home/rail?on_error=status"),
    "unknown": AROUND.format(INCLUDE.format("nothing")),
    "data": AROUND.format(INCLUDE.format("data?$args")),
    "secret": "what no visitor may see",
}
Nginx = Callable[..., AbstractContextManager["Front"]]


class Front(NamedTuple):
    """nginx, and the Tessera behind it."""

    address: str
    tessera: str
    copies: Path

    def stored(self, path: str) -> int:
        """Count the copies that nginx holds of a fragment."""
        files = [file.read_bytes() for file in self.copies.rglob("*") if file.is_file()]
        return sum(f"\nKEY: {path}?".encode() in file for file in files)


@pytest.fixture(scope="module")
def nginx_before(tmp_path_factory: pytest.TempPathFactory) -> Nginx:
    """Run nginx in front of a Tessera."""
    program = needs("nginx", "nginx")

    @contextmanager
    def run(tessera: str) -> Iterator[Front]:
        folder = tmp_path_factory.mktemp("nginx")
        (folder / "html").mkdir()
        for name, text in PAGES.items():
            (folder / "html" / f"{name}.html").write_text(text)
        (folder / "edge-secret.conf").write_text(
            f'proxy_set_header X-Tessera-Edge-Secret "{EDGE_SECRET}";\n'
            "proxy_set_header X-Tessera-Visitor $cookie_shop_customer;\n"
        )
        port = free_port()
        (folder / "tessera-proxy.conf").write_bytes((DEPLOY / "tessera-proxy.conf").read_bytes())
        text = (DEPLOY / "nginx.conf").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        text = text.replace("127.0.0.1:8000", tessera.removeprefix("http://"))
        user = "user root;\n" if os.geteuid() == 0 else ""  # the folder is only its owner's to read
        (folder / "nginx.conf").write_text(f"{user}daemon off;\npid {folder}/pid;\nerror_log stderr;\n{text}")
        process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")])
        try:
            wait_for(port)
            yield Front(f"http://127.0.0.1:{port}/", tessera, folder / "fragments")
        finally:
            process.terminate()
            process.wait(timeout=60)

    return run


@pytest.fixture(scope="module")
def nginx(nginx_before: Nginx, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    environment = {"TESSERA_EDGE_SECRET": EDGE_SECRET, "TESSERA_EDGE__KIND": "nginx", "TESSERA_HTTP__MAX_AGE_S": "3600"}
    with served(tmp_path_factory.mktemp("state"), environment=environment) as tessera, nginx_before(tessera) as front:
        yield front


def page(nginx: Front, **cookies: str) -> str:
    held = httpx.get(f"{nginx.tessera}/fragments/home/hero").headers["etag"]
    reply = httpx.get(nginx.address, headers={"if-none-match": held, "accept-encoding": "gzip"}, cookies=cookies)
    assert reply.status_code == 200
    return reply.text


def test_the_fragment_stands_in_the_page(nginx: Front) -> None:
    text = page(nginx)
    assert text.startswith("<html><body><")
    assert "<h2" in text.partition("<hr>")[0]
    assert text.endswith("</body></html>")


def test_the_edge_names_the_visitor(nginx: Front) -> None:
    stranger, member = page(nginx), page(nginx, shop_customer="maren", tessera_consent="granted")
    assert "Maren" in member
    assert "Maren" not in stranger
    assert page(nginx, shop_customer="maren") == stranger


def test_there_is_one_copy_for_each_thing_that_is_shown_and_none_of_what_is_private(nginx: Front) -> None:
    pages = {page(nginx, shop_customer=f"v{n}", tessera_consent="granted", visit=str(n)) for n in range(20)}
    assert len({text.partition("<hr>")[2] for text in pages}) == 1
    assert nginx.stored("/fragments/home/departments") == 1
    assert page(nginx, tessera_locale="de").partition("<hr>")[2] not in {text.partition("<hr>")[2] for text in pages}
    assert nginx.stored("/fragments/home/departments") == 2
    assert nginx.stored("/fragments/home/hero") == 0


def test_nobody_asks_for_the_handshake_or_carries_a_digest_but_nginx(nginx: Front) -> None:
    assert "tessera-context" not in httpx.get(f"{nginx.address}_tessera/context").headers
    reply = httpx.get(f"{nginx.address}fragments/home/departments", headers={"x-tessera-digest": "dmade-up"})
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "private, no-store")
    assert nginx.stored("/fragments/home/departments") == 2


def test_only_the_edge_names_the_visitor(nginx: Front) -> None:
    spoofed = {"x-tessera-visitor": "maren", "x-geo-country": "DE"}
    reply = httpx.get(nginx.address, headers=spoofed, cookies={"tessera_consent": "granted"})
    assert reply.text == page(nginx)


def test_a_slot_that_is_not_there_leaves_a_hole(nginx: Front) -> None:
    assert httpx.get(f"{nginx.address}unknown.html").text == AROUND.format("")


def test_no_failure_breaks_the_page(nginx_before: Nginx, tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    down = {"TESSERA_LISTS__ADAPTER": "http", "TESSERA_LISTS__URL": nobody}
    with served(tmp_path / "state", environment=down) as tessera, nginx_before(tessera) as front:
        assert "<h2" in httpx.get(f"{front.address}stub.html").text
        assert OWN in httpx.get(f"{front.address}rail.html").text
        assert httpx.get(f"{front.address}fragments/home/rail?on_error=status").status_code == 503
        assert httpx.get(f"{front.address}fragments/home/rail").status_code == 200
    with nginx_before(nobody) as front:
        assert httpx.get(f"{front.address}hole.html").text == AROUND.format("")
        assert OWN in httpx.get(f"{front.address}stub.html").text


@pytest.mark.parametrize("path", ["/pages/home", "/de/pages/home?campaign=winter", "/pages/home?campaign=%22--%3E$uri"])
@pytest.mark.parametrize("visitor", ["maren", "jonas", None])
def test_a_whole_page_is_the_same_byte_for_byte(nginx: Front, path: str, visitor: str | None) -> None:
    cookies = {"tessera_consent": "granted", **({"shop_customer": visitor} if visitor else {})}
    edge = {"x-tessera-edge-secret": EDGE_SECRET, **({"x-tessera-visitor": visitor} if visitor else {})}
    for _ in range(2):
        reply = httpx.get(nginx.address.rstrip("/") + path, cookies=cookies, headers={"if-none-match": '"held"'})
        assert reply.status_code == 200
        assert reply.content == httpx.get(nginx.tessera + path, cookies=cookies, headers=edge).content
        assert (reply.headers["cache-control"], "etag" in reply.headers) == ("private, no-cache", False)


VARIED = """
    page: home
    params: {q: {type: string}}
    layouts:
      - use: phone
        when: device.type == "mobile"
      - use: main
    slots:
      hero: {default: {template: hero.liquid}}
"""
VARIED_TEMPLATES = {
    "home/layouts/phone.liquid": "<i>{{ slots.hero }}</i>",
    "home/layouts/main.liquid": "<main>{{ slots.hero }}</main>",
    "hero.liquid": "<p>{{ param.q }} {{ device.type }}</p>",
}
PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36"


def test_a_page_with_parameters_and_layouts_has_one_copy_of_each_that_is_shown(
    nginx_before: Nginx, tmp_path: Path
) -> None:
    site = write_site(tmp_path / "site", {"home.yaml": VARIED}, VARIED_TEMPLATES)
    (site / "tessera.toml").write_text(
        '[edge]\nkind = "nginx"\n[site]\nlocales = ["en", "de"]\n[http]\nmax_age_s = 3600\n'
    )
    secret = {"TESSERA_SECRET": "a secret for this test"}
    with (
        served(tmp_path / "state", "--site", str(site), environment=secret) as tessera,
        nginx_before(tessera) as front,
        client_of(front.address) as http,
    ):
        for visit in range(10):
            for said in ("a", "b"):
                headers = {"user-agent": "x", "cookie": f"visit={visit}"}
                reply = http.get("/pages/home", params={"q": said}, headers=headers)
                assert reply.text == f"<main><p>{said} desktop</p></main>"
                reply = http.get("/pages/home", params={"q": said}, headers={**headers, "user-agent": PHONE})
                assert reply.text == f"<i><p>{said} mobile</p></i>"
        assert front.stored("/fragments/home/hero") == 4
        assert front.stored("/pages/home") == 4


ORDER = '<!--#include virtual="/secret.html" -->'
"""Included by nginx, it would show; cut at either end, it would if what stands around it in a template completed it."""
POSITIONS = """
<p>{{ param.q }}{{ visitor.id }}</p>
<p title="{{ param.q }}"><a href="?q={{ param.q }}">x</a></p>
<script type="application/json">{{ param.q | json_script }}</script>
<!--{{ param.q }}--><!-- {{ param.q }} -->
<{{ param.q }}>
{{ cta.text }}<a href="{{ cta.url }}">{{ cta.message }}</a>
{% assign told = param.q | append: "" %}{% capture kept %}{{ told }}{% endcapture %}{{ kept }}
"""


@pytest.fixture(scope="module")
def positions(nginx_before: Nginx, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A shop whose template puts data wherever it can stand."""
    site = tmp_path_factory.mktemp("site")
    words = json.dumps(ORDER)
    slots = {"data": {"default": {"template": "data.liquid", "cta": "say"}}}
    rules = {
        "home.yaml": json.dumps({"page": "home", "params": {"q": {"type": "string"}}, "slots": slots}),
        "ctas.yaml": f"ctas:\n  say: {{text: {words}, message: {words}, link: '/x?q={{param.q}}'}}\n",
    }
    write_site(site, rules, {"data.liquid": POSITIONS})
    (site / "tessera.toml").write_text('[site]\nlocales = ["en", "de"]\n[server]\nmode = "development"\n')
    state = tmp_path_factory.mktemp("state")
    with served(state, "--site", str(site)) as tessera, nginx_before(tessera) as front:
        yield front


@pytest.mark.parametrize("said", ["nothing", ORDER, ORDER[4:-3], ORDER[1:], ORDER.replace('"', ""), "#echo var=x "])
def test_data_gives_nginx_no_orders(positions: Front, said: str) -> None:
    text = httpx.get(f"{positions.address}data.html", params={"q": said}).text
    assert PAGES["secret"] not in text
    assert "an error occurred" not in text
    assert text == httpx.get(f"{positions.tessera}/fragments/home/data", params={"q": said}).text.join(
        AROUND.split("{}")
    )
    assert text.count(escape(said)) >= 6
