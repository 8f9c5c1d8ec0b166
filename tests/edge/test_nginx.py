"""A page of somebody else's, in which the real nginx includes fragments, by the configuration in `deploy/`."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.support.ports import free_port, wait_for
from tests.support.programs import needs
from tests.support.served import served

DEPLOY = Path(__file__).parents[2] / "deploy"
EDGE_SECRET = "known to nginx and Tessera"
INCLUDE = '<!--#include virtual="/fragments/home/{}" -->'
PAGE = f"<html><body>{INCLUDE.format('hero')}<hr>{INCLUDE.format('departments')}</body></html>"


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
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    program = needs("nginx", "nginx")
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "html").mkdir()
    (folder / "html" / "index.html").write_text(PAGE)
    (folder / "edge-secret.conf").write_text(
        f'proxy_set_header X-Tessera-Edge-Secret "{EDGE_SECRET}";\n'
        "proxy_set_header X-Tessera-Visitor $cookie_shop_customer;\n"
    )
    port = free_port()
    (folder / "tessera-proxy.conf").write_bytes((DEPLOY / "tessera-proxy.conf").read_bytes())
    environment = {"TESSERA_EDGE_SECRET": EDGE_SECRET, "TESSERA_EDGE__KIND": "nginx"}
    with served(folder / "state", environment=environment) as tessera:
        configuration = (DEPLOY / "nginx.conf").read_text()
        configuration = configuration.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        configuration = configuration.replace("127.0.0.1:8000", tessera.removeprefix("http://"))
        user = "user root;\n" if os.geteuid() == 0 else ""  # the folder is only its owner's to read
        (folder / "nginx.conf").write_text(f"{user}daemon off;\npid {folder}/pid;\nerror_log stderr;\n{configuration}")
        process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")])
        try:
            wait_for(port)
            yield Front(f"http://127.0.0.1:{port}/", tessera, folder / "fragments")
        finally:
            process.terminate()
            process.wait(timeout=10)


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
