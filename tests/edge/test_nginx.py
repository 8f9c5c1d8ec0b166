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

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"
EDGE_SECRET = "known to nginx and Tessera"
PAGE = """<html><body><!--#include virtual="/fragments/home/hero" --><hr></body></html>"""


class Front(NamedTuple):
    """nginx, and the Tessera behind it."""

    address: str
    tessera: str


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
    with served(folder / "state", environment={"TESSERA_EDGE_SECRET": EDGE_SECRET}) as tessera:
        configuration = CONFIGURATION.read_text()
        configuration = configuration.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        configuration = configuration.replace("127.0.0.1:8000", tessera.removeprefix("http://"))
        user = "user root;\n" if os.geteuid() == 0 else ""  # the folder is only its owner's to read
        (folder / "nginx.conf").write_text(f"{user}daemon off;\npid {folder}/pid;\nerror_log stderr;\n{configuration}")
        process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")])
        try:
            wait_for(port)
            yield Front(f"http://127.0.0.1:{port}/", tessera)
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
    assert "<h2" in text
    assert text.endswith("<hr></body></html>")


def test_the_edge_names_the_visitor(nginx: Front) -> None:
    stranger, member = page(nginx), page(nginx, shop_customer="maren", tessera_consent="granted")
    assert "Maren" in member
    assert "Maren" not in stranger
    assert page(nginx, shop_customer="maren") == stranger
