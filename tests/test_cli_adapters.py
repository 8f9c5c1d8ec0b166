"""`tessera adapters` and `tessera probe`, as an operator types them, against a service on the loopback interface."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tessera.adapters import registry
from tessera.cli.main import tessera
from tests.support.sites import write_site

PAGE = "page: home\nparams: {q: {type: string}}\nslots:\n  hero:\n    default: {template: hero.liquid}\n"
LISTS = """
    lists:
      mine: {kind: personal, count: 2}
      like: {kind: related, to: param.q, count: 2}
"""
OVER = threading.Event()
"""Set when nobody waits any longer for what comes too late."""


class Service(BaseHTTPRequestHandler):
    """A customer data platform and a recommender, which knows Ann."""

    answers: Mapping[str, object] = {
        "/profiles/ann": {"traits": {"first_name": "Änn", "tier": "emerald", "secret": None}, "segments": ["vip"]},
        "/lists/ann": {"items": [{"id": "T1", "score": 0.5, "price": "dear"}, {"id": "T2"}]},
        "/api/features/sdk-abc": {
            "features": {
                "new-checkout": {"defaultValue": False, "rules": [{"condition": {"id": "ann"}, "force": True}]},
                "copy": {"defaultValue": "shout"},
            }
        },
        "/profiles/late": {"traits": {"tier": "gold"}},
    }

    def do_GET(self) -> None:
        found = self.answers.get(self.path)
        if self.path == "/profiles/late":
            OVER.wait(60)
        body = json.dumps(found).encode()
        self.send_response(500 if self.path.endswith("broken") else 200 if found is not None else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of those who gave up waiting: it would stand in the output of whichever command runs by then."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = Server(("127.0.0.1", 0), Service)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    yield server.server_port
    OVER.set()
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def site(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TESSERA_SECRET", "a secret for tests only")
    folder = write_site(tmp_path / "site", {"home.yaml": PAGE, "lists.yaml": LISTS}, {"hero.liquid": "Hello"})
    (folder / "tessera.toml").write_text(
        f'[profiles]\nadapter = "http"\nurl = "http://127.0.0.1:{port}/profiles/{{visitor_id}}"\n'
        f'[lists]\nadapter = "http"\nurl = "http://127.0.0.1:{port}/lists/{{visitor_id}}"\n'
        'fields = {price = "price"}\n'
    )
    return folder


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(tessera, [str(word) for word in words], catch_exceptions=False)


def probe(site: Path, *words: str) -> Result:
    return run("probe", *words, "--site", site, "--state-dir", site.parent / "state")


def test_adapters_are_listed_with_their_settings_and_those_in_use_marked(site: Path) -> None:
    told = run("adapters", "--site", site)
    assert told.exit_code == 0
    profiles = told.output.split("[lists]")[0]
    assert "\n* http\n" in profiles
    assert "\n  sqlite\n" in profiles
    assert "(must be set)" in profiles
    assert '(default "segments")' in profiles


def test_adapters_of_other_packages_are_listed_with_their_package(
    site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    info = tmp_path / "acme_cdp-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-cdp\nVersion: 1.0\n")
    dist = Distribution.at(info)
    good = EntryPoint("acme", "tessera.adapters.profiles_sqlite:SqliteProfiles", "tessera.profiles")._for(dist)  # type: ignore[attr-defined]
    broken = EntryPoint("brittle", "there_is_no_such_module:Profiles", "tessera.profiles")._for(dist)  # type: ignore[attr-defined]
    theirs = {"acme": good, "brittle": broken}
    monkeypatch.setattr(registry, "installed", lambda port: theirs if port == "profiles" else {})
    told = run("adapters", "--site", site).output
    assert "  acme  (from the package acme-cdp)\n" in told
    assert "      cannot be used: No module named 'there_is_no_such_module'\n" in told
    (entry,) = [each for each in json.loads(run("adapters", "--site", site, "--json").output) if each["name"] == "acme"]
    assert entry == {
        "port": "profiles", "name": "acme", "package": "acme-cdp", "configured": False, "settings": [], "lacks": None
    }  # fmt: skip


def test_a_probe_shows_what_came_what_does_not_fit_and_what_did_not_come(site: Path) -> None:
    told = probe(site, "profiles", "--visitor", "ann")
    assert told.exit_code == 0
    head, *lines = told.output.splitlines()[1:]
    assert head.startswith("profile: fresh, in ")
    assert lines == [
        '  first_name  "Änn" → visitor.first_name',
        '  tier        "emerald" → visitor.tier  DOES NOT FIT: enumeration, but `emerald` is not one of none, silver, '
        "gold; it counts as unknown",
        "  secret      null → visitor.secret",
        "  in segments: vip",
        "  no segments of the site: vip (see rules/segments.yaml)",
        "  did not come: visitor.unread (trait `unread`)",
    ]


def test_a_probe_of_somebody_unknown_says_so(site: Path) -> None:
    told = probe(site, "profiles", "--visitor", "nobody")
    assert (told.exit_code, "a visitor who is not known there" in told.output) == (0, True)


@pytest.mark.parametrize(
    ("visitor", "failure"),
    [
        ("broken", "failed: profile: answered with status 500"),
        ("late", "failed: profile: no reply in time"),
    ],
)
def test_a_probe_that_fails_says_what_to_do(
    site: Path, monkeypatch: pytest.MonkeyPatch, visitor: str, failure: str
) -> None:
    if visitor == "late":
        monkeypatch.setenv("TESSERA_PROFILES__DEADLINE_MS", "100")
    told = probe(site, "profiles", "--visitor", visitor)
    assert told.exit_code == 1
    assert failure in told.output
    assert "  = help: " in told.output


def test_a_probe_of_a_service_that_is_not_there(site: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        gone = taken.getsockname()[1]
    toml = site / "tessera.toml"
    toml.write_text(f'[profiles]\nadapter = "http"\nurl = "http://127.0.0.1:{gone}/{{visitor_id}}"\n')
    told = probe(site, "profiles", "--visitor", "ann")
    assert (told.exit_code, "help: does it run" in told.output) == (1, True)


def test_a_probe_of_lists_asks_for_each_that_can_be_asked_for(site: Path) -> None:
    told = json.loads(probe(site, "lists", "--visitor", "ann", "--list", "mine", "--json").output)
    (found,) = told
    assert (found["port"], found["adapter"], found["status"]) == ("lists", "http", "2 of 2 items")
    assert [(each["name"], each["value"]) for each in found["values"]] == [
        ("T1", {"score": 0.5}), ("T1.price", "dear"), ("T2", {}), ("T2.price", None)
    ]  # fmt: skip
    assert found["values"][1]["misfit"].startswith("money, but ")
    both = probe(site, "lists", "--visitor", "ann")
    assert "list like: not asked; it needs --given param.q=VALUE" in both.stderr
    assert "list like: " in probe(site, "lists", "--list", "like", "--given", "param.q=T1").output


def flags_of(site: Path, port: int) -> None:
    """Have the site read flags from GrowthBook."""
    facts = site / "rules" / "facts.yaml"
    flags = (
        "  flag.checkout: {type: boolean, source: flags, key: new-checkout, attributes: {id: visitor.id}}\n"
        "  flag.copy: {type: enumeration, one_of: [a, b], source: flags}\n"
        "  flag.gone: {type: boolean, source: flags}\n"
    )
    facts.write_text(facts.read_text().replace("item:\n", flags + "item:\n", 1))
    (site / "tessera.toml").write_text(
        f'[flags]\nadapter = "growthbook"\nhost = "http://127.0.0.1:{port}"\nclient_key = "sdk-abc"\n'
    )


def test_flags_are_probed_by_what_the_service_is_told(site: Path, port: int) -> None:
    flags_of(site, port)
    told = probe(site, "flags", "--visitor", "ann")
    assert told.exit_code == 0
    assert [line for line in told.output.splitlines()[1:] if not line.startswith("flags: ")] == [
        "  new-checkout  true → flag.checkout",
        '  told: {"id": "ann"}',
        '  copy  "shout" → flag.copy  DOES NOT FIT: enumeration, but `shout` is not one of a, b; it counts as unknown',
        "  told: nothing",
        "  did not come: flag.gone (flag `gone`)",
    ]
    assert '"value": false' in probe(site, "flags", "--json").output


def test_a_flag_of_growthbook_decides_what_a_slot_shows(site: Path, port: int) -> None:
    flags_of(site, port)
    page = PAGE + "    rules: [{name: On, when: flag.checkout, show: {template: on.liquid}}]\n"
    (site / "rules" / "home.yaml").write_text(page)
    (site / "templates" / "on.liquid").write_text("On")
    given = ("--site", site, "--state-dir", site.parent / "state")
    shown = [run("render", "home/hero", "--visitor", who, *given).output for who in ("ann", "bob")]
    assert shown == ["On\n", "Hello\n"]
    assert "flags new-checkout: fresh" in run("explain", "home/hero", "--visitor", "ann", *given).output


def test_the_catalogue_is_probed_by_item(site: Path) -> None:
    told = probe(site, "catalogue", "--item", "T1")
    assert (told.exit_code, told.output.splitlines()[-1]) == (0, "  did not come: item T1")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["profiles"], "say about whom: --visitor ID"),
        (["catalogue"], "say which items: --item SKU"),
        (["lists", "--list", "none"], "there is no list `none`; there are mine, like"),
        (["lists", "--given", "x"], "`x` is not a declared fact, an equals sign and a value"),
    ],
)
def test_a_probe_that_cannot_be_made_says_why(site: Path, words: list[str], problem: str) -> None:
    told = probe(site, *words)
    assert (told.exit_code, told.stderr) == (2, problem + "\n")


def test_a_secret_that_is_not_set_is_told_first(site: Path) -> None:
    with (site / "tessera.toml").open("a") as toml:
        toml.write('token_variable = "NOT_SET_ANYWHERE"\n')
    told = probe(site, "lists", "--visitor", "ann")
    assert (told.exit_code, told.stderr) == (2, "`lists`: `NOT_SET_ANYWHERE` must be set in the environment\n")
