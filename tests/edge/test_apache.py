"""A page of somebody else's, in which the real Apache includes fragments, by the configuration in `deploy/`."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from tests.support.docs import example
from tests.support.ports import free_port, wait_for
from tests.support.programs import needs
from tests.support.served import served

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "apache.conf"
EDGE_SECRET = "known to Apache and Tessera"
OWN = "The winter range is in."
HERO = "Carry less. Walk further."
EDGE = f"""RequestHeader set X-Tessera-Edge-Secret "{EDGE_SECRET}"
<If "%{{HTTP_COOKIE}} =~ /shop_customer=maren/">
  RequestHeader set X-Tessera-Visitor maren
</If>
"""
PAGES = {
    "index": "<html><body>{}<hr></body></html>".format(example("including.md", "Apache", "html")),
    "own": "<html><body>{}<hr></body></html>".format(example("including.md", "Apache", "html", 1)),
}
PAGES["rail"] = PAGES["own"].replace("/home/hero", "/home/rail")


@contextmanager
def apache(tessera: str) -> Iterator[str]:
    """Run Apache in front of a Tessera; gives its address, with a slash at its end."""
    program = needs("apache2", "apache2-bin")
    with TemporaryDirectory() as name:  # Apache gives up being root, so the folder must be everybody's to read
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "html").mkdir()
        for page, text in PAGES.items():
            (folder / "html" / f"{page}.shtml").write_text(text)
        (folder / "html" / "winter.html").write_text(f"<p>{OWN}</p>")
        (folder / "edge-secret.conf").write_text(EDGE)
        port = free_port()
        text = CONFIGURATION.read_text().replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        text = text.replace("http://127.0.0.1:8000", tessera)
        user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        logs = f"PidFile {folder}/pid\nErrorLog {folder}/error.log\n"
        (folder / "apache.conf").write_text(user + logs + text)
        command = [program, "-d", str(folder), "-f", str(folder / "apache.conf"), "-DFOREGROUND"]
        with subprocess.Popen(command) as process:
            try:
                wait_for(port)
                yield f"http://127.0.0.1:{port}/"
            finally:
                process.terminate()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    environment = {"TESSERA_EDGE_SECRET": EDGE_SECRET}
    with served(tmp_path_factory.mktemp("state"), environment=environment) as tessera, apache(tessera) as address:
        yield address


def page(address: str, name: str = "index", **cookies: str) -> str:
    held = httpx.get(f"{address}fragments/home/hero").headers.get("etag", "")
    of_the_page = {"if-none-match": held, "accept-encoding": "gzip"}
    reply = httpx.get(f"{address}{name}.shtml", headers={**of_the_page, "x-tessera-visitor": "maren"}, cookies=cookies)
    assert reply.text.startswith("<html><body>")
    assert reply.text.rstrip().endswith("<hr></body></html>")
    return reply.text


@pytest.mark.parametrize("name", ["index", "own"])
def test_the_fragment_stands_in_the_page(front: str, name: str) -> None:
    assert HERO in page(front, name)


def test_the_edge_names_the_visitor_and_nobody_else_does(front: str) -> None:
    assert "Maren" in page(front, shop_customer="maren", tessera_consent="granted")
    assert "Maren" not in page(front, tessera_consent="granted")


def test_no_failure_breaks_the_page(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    down = {"TESSERA_LISTS__ADAPTER": "http", "TESSERA_LISTS__URL": nobody}
    with served(tmp_path / "state", environment=down) as tessera, apache(tessera) as address:
        assert OWN in page(address, "rail")
    with apache(nobody) as address:
        assert page(address).split() == ["<html><body><!--", "-->", "<hr></body></html>"]
        assert OWN in page(address, "own")
