"""`POST /-/purge` reaches what Varnish and nginx have stored, by the configurations in `deploy/`."""

import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx
import pytest

from tessera.adapters.sqlite import Seed, fill, prepare
from tessera.renderer.attendance import attending
from tests.support.fakes import item
from tests.support.ports import free_port, wait_for
from tests.support.programs import needs
from tests.support.served import client_of, served
from tests.support.sites import write_site

DEPLOY = Path(__file__).parents[2] / "deploy"
TOKEN = "a token for this test"
RULES = """
    page: home
    slots:
      rail: {default: {template: rail.liquid, items: popular}}
      stock: {default: {template: stock.liquid, items: popular}}
      other: {default: {template: other.liquid}}
"""
TEMPLATES = {
    "rail.liquid": "<p>{% for item in items %}{{ item.title }};{% endfor %}</p>",
    "stock.liquid": "<p>{% for item in items %}{% if item.title == 'new' %}yes{% else %}no{% endif %}{% endfor %}</p>",
    "other.liquid": "<p>other</p>",
}
SETTINGS = """
    [lists]
    fresh_s = 1000
    stale_s = 0
    [http]
    max_age_s = 1000
    [edge]
    kind = "{kind}"
    [[downstream]]
    name = "edge"
    kind = "{kind}"
    {place}
"""
TITLES = ("new", "newer", "newest")


class Front(NamedTuple):
    """A cache, the two workers of Tessera behind it, and what the shop sells."""

    http: httpx.Client
    tessera: str
    state: Path

    def sell(self, title: str) -> None:
        with sqlite3.connect(self.state / "tessera.sqlite") as store:
            store.execute("UPDATE items SET fields = ?", (json.dumps(item("A", title)),))
        store.close()

    def shown(self, slot: str = "rail") -> str:
        reply = self.http.get(f"/fragments/home/{slot}")
        assert reply.status_code == 200
        assert not {"xkey", "surrogate-key"} & set(reply.headers)
        return reply.text.removeprefix("<p>").removesuffix("</p>").removesuffix(";")

    def purge(self, *tags: str, hard: bool = True) -> httpx.Response:
        order = {"tags": tags, "hard": hard, "by": "test"} if tags else {"everything": True, "hard": hard}
        return httpx.post(f"{self.tessera}/-/purge", json=order, headers={"authorization": f"Bearer {TOKEN}"})


@contextmanager
def behind(folder: Path, kind: str, place: str) -> Iterator[tuple[str, Path]]:
    site = write_site(folder / "site", {"home.yaml": RULES}, TEMPLATES)
    (site / "tessera.toml").write_text(SETTINGS.format(kind=kind, place=place))
    state = folder / "state"
    prepare(state / "tessera.sqlite")
    fill(state / "tessera.sqlite", Seed([{**item("A", "old"), "category": "c"}], (), (), ()))
    secrets = {"TESSERA_SECRET": "a secret for this test", "TESSERA_ADMIN_TOKEN": TOKEN}
    with served(state, "--site", str(site), "--workers", "2", environment=secrets) as tessera:
        until = time.monotonic() + 60
        while len(list(attending(state / "notices"))) < 2:
            assert time.monotonic() < until
            time.sleep(0.05)
        yield tessera, state


@pytest.fixture(scope="module")
def varnish() -> Iterator[Front]:
    program = needs("varnishd", "varnish")
    port = free_port()
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # varnishd gives up being root before it reads its configuration
        with behind(folder, "varnish", f'url = "http://127.0.0.1:{port}"') as (tessera, state):
            text = (DEPLOY / "varnish.vcl").read_text().replace('"8000"', f'"{tessera.rpartition(":")[2]}"')
            (folder / "varnish.vcl").write_text(text)
            command = [program, "-F", "-n", str(folder / "work"), "-a", f"127.0.0.1:{port}"]
            process = subprocess.Popen(
                [*command, "-f", str(folder / "varnish.vcl")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                wait_for(port)
                with client_of(f"http://127.0.0.1:{port}") as http:
                    yield Front(http, tessera, state)
            finally:
                process.terminate()
                process.wait(timeout=60)


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Front]:
    program = needs("nginx", "nginx")
    port = free_port()
    with behind(tmp_path, "nginx", f'folder = "{tmp_path}/fragments"') as (tessera, state):
        (tmp_path / "tessera-proxy.conf").write_bytes((DEPLOY / "tessera-proxy.conf").read_bytes())
        text = (DEPLOY / "nginx.conf").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        text = text.replace("127.0.0.1:8000", tessera.removeprefix("http://"))
        user = "user root;\n" if os.geteuid() == 0 else ""  # the folder is only its owner's to read
        place = f"daemon off;\npid {tmp_path}/pid;\nerror_log stderr;\n"
        (tmp_path / "nginx.conf").write_text(user + place + text)
        process = subprocess.Popen([program, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")])
        try:
            wait_for(port)
            with client_of(f"http://127.0.0.1:{port}") as http:
                yield Front(http, tessera, state)
        finally:
            process.terminate()
            process.wait(timeout=60)


def test_after_a_purge_varnish_shows_nothing_of_what_was_purged(varnish: Front) -> None:
    varnish.sell("old")
    varnish.purge()
    for tags, title in zip([["item:A"], ["list:popular"], ["page:home"]], TITLES, strict=True):
        before = varnish.shown()
        varnish.sell(title)
        assert varnish.shown() == before
        done = varnish.purge("item:B", "slot:home/other", "visitor:ann")
        assert (done.status_code, varnish.shown()) == (200, before)
        done = varnish.purge("item:A", *tags)
        assert (done.status_code, done.json()["workers"], done.json()["downstream"]) == (200, 2, ["edge"])
        assert varnish.shown() == title


def test_what_only_tests_an_item_is_purged_by_it_too(varnish: Front) -> None:
    varnish.sell("old")
    varnish.purge("item:A")
    assert varnish.shown("stock") == "no"
    varnish.sell("new")
    assert varnish.shown("stock") == "no"
    varnish.purge("item:A")
    assert varnish.shown("stock") == "yes"


def test_after_a_soft_purge_varnish_shows_it_once_more_while_it_fetches_it_anew(varnish: Front) -> None:
    varnish.sell("old")
    varnish.purge("item:A")
    assert varnish.shown() == "old"
    varnish.sell("new")
    assert varnish.purge("item:A", hard=False).status_code == 200
    assert varnish.shown() == "old"
    until = time.monotonic() + 5
    while varnish.shown() != "new":
        assert time.monotonic() < until
        time.sleep(0.02)


def test_no_copy_from_before_a_purge_comes_in_while_it_runs_under_load(varnish: Front) -> None:
    """Eight clients ask all the while, for copies of their own; whoever asks after a purge is not shown what was."""
    with ThreadPoolExecutor(8) as clients:
        for number in range(10):
            title = f"t{number}"
            varnish.sell(title)
            asking = [clients.submit(varnish.shown) for _ in range(40)]
            assert varnish.purge("item:A").status_code == 200
            assert varnish.shown() == title
            assert {each.result() for each in asking} <= {title, *TITLES, "old", f"t{number - 1}"}
            assert varnish.shown() == title


@pytest.mark.parametrize("headers", [{"xkey-purge": "everything", "x-forwarded-for": "9.9.9.9"}, {}])
def test_varnish_lets_nobody_else_purge(varnish: Front, headers: dict[str, str]) -> None:
    assert varnish.http.request("PURGE", "/", headers=headers).status_code in (400, 403)


def test_after_a_purge_nginx_shows_nothing_of_what_was_purged(nginx: Front) -> None:
    assert nginx.shown() == "old"
    nginx.sell("new")
    assert nginx.shown() == "old"
    assert nginx.purge("item:B", hard=False).status_code == 200
    assert nginx.shown() == "old"
    assert nginx.purge("item:A", hard=False).json()["downstream"] == ["edge"]
    assert nginx.shown() == "new"
    (nginx.state.parent / "fragments").rename(nginx.state.parent / "away")
    done = nginx.purge("item:A")
    assert (done.status_code, list(done.json()["waiting"])) == (202, ["edge"])
    (nginx.state.parent / "away").rename(nginx.state.parent / "fragments")
    until = time.monotonic() + 10
    while json.loads((nginx.state / "notices" / "downstream-edge.json").read_text())["obeyed"] < done.json()["notice"]:
        assert time.monotonic() < until
        time.sleep(0.05)
