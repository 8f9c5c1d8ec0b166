"""Real servers change to what is published between two requests, lose none, and obey switches within a second."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from tessera.cli.main import tessera
from tests.support.served import served
from tests.support.sites import write_site

PAGE = """
    page: home
    layouts:
      - use: plain
    slots:
      hero:
        default: {{template: hero.liquid}}
        rules:
          - name: Everybody
            when: not visitor.known
            show: {{template: {word}.liquid}}
    tests:
      - name: a stranger
        given: {{visitor: {{known: false}}}}
        expect: {{slot: hero, template: {expected}.liquid}}
"""


SECRET = {"TESSERA_SECRET": "a secret for tests only"}


class Shop:
    """A site that is edited and published, and what the command line says of that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"

    def write(self, word: str, expected: str | None = None) -> None:
        """Make `word` what strangers see, in both the slot and the layout."""
        templates = {
            f"{word}.liquid": word,
            "hero.liquid": "default",
            "home/layouts/plain.liquid": f"{word}:{{{{ slots.hero }}}}",
        }
        write_site(self.folder / "site", {"home.yaml": PAGE.format(word=word, expected=expected or word)}, templates)

    def run(self, *words: str) -> tuple[int, str]:
        place = ["--site", str(self.folder / "site"), "--state-dir", str(self.state)]
        done = CliRunner(env=SECRET).invoke(tessera, [*words, *place], catch_exceptions=False)
        return done.exit_code, done.output

    def publish(self, word: str) -> None:
        self.write(word)
        code, said = self.run("publish", "--why", word)
        assert code == 0, said


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def server(shop: Shop) -> Iterator[str]:
    shop.publish("one")
    with served(shop.state, "--site", str(shop.folder / "site"), "--workers", "2", environment=SECRET) as url:
        wait_until(lambda: httpx.get(f"{url}/readyz").status_code == 200)
        yield url


@pytest.fixture
def address(shop: Shop, server: str) -> str:
    """The two workers' address, once both show what every test begins with, whatever the one before it published."""
    shop.write("one")
    shop.run("publish")  # which is refused where it is live already
    wait_until(lambda: httpx.get(f"{server}/pages/home").text == "one:one")
    return server


def wait_until(so: object, seconds: float = 60) -> None:
    """Wait until something is so, on every worker as far as many requests can tell."""
    assert callable(so)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if all(so() for _ in range(12)):
                return
        except httpx.ConnectError:
            pass
        time.sleep(0.05)
    raise AssertionError("it never came to be")


def test_publishing_under_load_loses_no_request_and_mixes_no_versions(shop: Shop, address: str) -> None:
    seen: Counter[tuple[int, str]] = Counter()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            reply = httpx.get(f"{address}/pages/home")
            seen[reply.status_code, reply.text] += 1

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    try:
        for word in ("two", "three"):
            shop.publish(word)
            wait_until(lambda word=word: httpx.get(f"{address}/pages/home").text == f"{word}:{word}")
        assert shop.run("rollback", "--why", "oops")[0] == 0
        wait_until(lambda: httpx.get(f"{address}/pages/home").text == "two:two")
    finally:
        stop.set()
        for asker in askers:
            asker.join()
    assert {text for _, text in seen} <= {"one:one", "two:two", "three:three"}
    assert {status for status, _ in seen} == {200}


def test_a_slot_is_off_and_on_again_within_a_second_on_every_worker(shop: Shop, address: str) -> None:
    def shown() -> str:
        return httpx.get(f"{address}/fragments/home/hero").text

    wait_until(lambda: shown() == "one")
    assert shop.run("disable", "home/hero", "--why", "panic") == (0, "home/hero is off\n")
    wait_until(lambda: shown() == "default", 1)
    assert re.fullmatch(r"home/hero  \S+  \S+  panic\n", shop.run("disable")[1])
    assert shop.run("enable", "home/hero") == (0, "home/hero is on\n")
    wait_until(lambda: shown() == "one", 1)


def test_nothing_with_an_error_or_a_failing_test_goes_live(shop: Shop, address: str) -> None:
    shop.write("two", expected="three")
    code, said = shop.run("publish")
    assert code == 1
    assert said.startswith(
        "rules/home.yaml:12:5: failed: a stranger\n  template: expected three.liquid, got two.liquid\n"
    )
    assert said.endswith("home: 0 of 1 passed\nnothing was published: tests fail\n")
    (shop.folder / "site/rules/home.yaml").write_text("page: [")
    code, said = shop.run("publish")
    assert code == 1
    assert said.endswith("nothing was published: the site has errors\n")
    assert httpx.get(f"{address}/fragments/home/hero").text == "one"


def test_a_token_shows_another_version_to_its_holder_alone(shop: Shop, address: str) -> None:
    shop.publish("two")
    first = shop.run("history")[1].splitlines()[-1].split()[0]
    code, token = shop.run("preview", "--version", first)
    assert code == 0
    wait_until(lambda: httpx.get(f"{address}/fragments/home/hero").text == "two")
    shown = httpx.get(f"{address}/fragments/home/hero?{token.strip()}")
    assert (shown.text, shown.headers["cache-control"]) == ("one", "private, no-store")
    assert shown.headers["tessera-preview"].startswith(first)
    assert httpx.get(f"{address}/fragments/home/hero").text == "two"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("disable", "home/hiro"), "there is no slot `home/hiro`; did you mean `home/hero`?\n"),
        (("disable", "home/hero", "--experiment", "x"), "name a slot or an experiment, not both\n"),
        (("enable", "home/hero"), "home/hero is not off\n"),
        (("enable",), "name a PAGE/SLOT, or an --experiment\n"),
        (("rollback",), "there is no earlier release to go back to\n"),
        (("preview", "--version", "beef"), "there is no release `beef`\n"),
        (("preview", "--arm", "a.b"), "there is no arm `a.b`; there are none\n"),
        (
            ("preview", "--for", "2 moons"),
            "`moons` is no unit of time; those are seconds, minutes, hours, days, weeks, months, years\n",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_words(tmp_path: Path, words: tuple[str, ...], problem: str) -> None:
    shop = Shop(tmp_path)
    shop.publish("one")
    assert shop.run(*words) == (2, problem)
