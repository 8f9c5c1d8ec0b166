"""`tessera purge` reaches every worker of a real server before its next answer, and its words are checked."""

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from tessera.adapters.sqlite import Seed, fill, prepare
from tessera.cli.main import tessera
from tests.support.fakes import item
from tests.support.redis import redis_server
from tests.support.served import client_of, served
from tests.support.sites import write_site

PAGE = """
    page: home
    slots:
      rail: {default: {template: rail.liquid, items: popular}}
"""
TOKEN = "a token for this test"
RAIL = "{% for item in items %}{{ item.title }};{% endfor %}"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TESSERA_SECRET", "a secret for tests only")
    folder = write_site(tmp_path / "site", {"home.yaml": PAGE}, {"rail.liquid": RAIL})
    (folder / "tessera.toml").write_text("[lists]\nfresh_s = 1000\nstale_s = 0\n")
    return folder


def purge(site: Path, *words: str) -> Result:
    place = ["--site", str(site), "--state-dir", str(site.parent / "state")]
    return CliRunner().invoke(tessera, ["purge", *words, *place], catch_exceptions=False)


@pytest.fixture
def store(site: Path) -> Path:
    file = site.parent / "state" / "tessera.sqlite"
    prepare(file)
    fill(file, Seed([{**item("A", "old"), "category": "c"}], (), (), ()))
    return file


def title(store: Path, text: str) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE items SET fields = ?", (json.dumps(item("A", text)),))
    connection.close()


@pytest.fixture
def url(site: Path, store: Path) -> Iterator[str]:
    may = {"TESSERA_ADMIN_TOKEN": TOKEN}
    with served(store.parent, "--site", str(site), "--workers", "2", environment=may) as address:
        until = time.monotonic() + 60
        while not (_answers(address) and _fetched(address) == 2):
            assert time.monotonic() < until
            time.sleep(0.1)
        yield address


def _answers(address: str) -> bool:
    try:
        return shown(address) == {"old;"}
    except httpx.TransportError:
        return False


def _fetched(address: str) -> int:
    """Count the workers that have a list in memory: each has asked for it once."""
    told = httpx.get(f"{address}/-/metrics", headers={"authorization": f"Bearer {TOKEN}"}).text
    counts = re.findall(r'^tessera_adapter_calls_total\{outcome="ok",source="items"\} (\d+)', told, re.MULTILINE)
    return sum(map(int, counts))


def shown(url: str) -> set[str]:
    """What some requests, each on a connection of its own, are shown: so that all workers may answer."""
    with client_of() as client:
        return {client.get(f"{url}/fragments/home/rail").text for _ in range(20)}


def test_after_a_purge_no_worker_shows_what_was_purged(site: Path, store: Path, url: str) -> None:
    assert shown(url) == {"old;"}
    title(store, "new")
    assert shown(url) == {"old;"}
    assert purge(site, "item:B", "visitor:ann").exit_code == 0
    assert shown(url) == {"old;"}
    for words, text in [(["item:A"], "new"), (["list:popular", "--hard"], "newer"), (["--everything"], "newest")]:
        title(store, text)
        assert purge(site, *words).exit_code == 0
        assert shown(url) == {f"{text};"}


def test_a_purge_says_what_it_did(site: Path) -> None:
    assert purge(site, "item:A", "visitor:ann").output == "purged item:A visitor:ann (notice 1)\n"
    assert purge(site, "--everything", "--hard").output == "purged everything (notice 2)\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name tags, or --everything\n"),
        (["item:A", "--everything"], "name tags, or --everything\n"),
        (
            ["vistor:ann"],
            "`vistor:ann` is not a tag: write a kind, a colon and a name; kinds are visitor, item, list, template, "
            "cta, slot, page, experiment\ndid you mean `visitor`?\n",
        ),
    ],
)
def test_what_is_no_tag_is_refused(site: Path, words: list[str], said: str) -> None:
    done = purge(site, *words)
    assert (done.exit_code, done.output) == (2, said)
    assert not (site.parent / "state").exists()


def test_where_redis_is_away_it_says_that_others_have_to_wait(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site.parent / "redis").mkdir()
    with redis_server(site.parent / "redis", durable=True) as server:
        monkeypatch.setenv("TESSERA_REDIS__URL", server.url)
        assert purge(site, "item:A").stderr == ""
    done = purge(site, "item:A")
    assert done.exit_code == 0
    assert done.stderr == "Redis is away: other machines hear of it once a server of this one finds it again\n"
