"""The command line, as a user types it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tessera.cli import tessera
from tests.support.sites import write_site

PAGE = """
    page: home
    params: {q: {type: string}}
    slots:
      hero:
        default: {template: hero.liquid}
        rules:
          - name: Gold members
            when: visitor.tier == "gold" and device.type == "mobile"
            show: {template: gold.liquid}
          - name: Everybody in December
            when: visitor.known
            during: {from: 2026-12-01}
            show: {template: gold.liquid}
"""
TEMPLATES = {"hero.liquid": "<h1>Hello {{ param.q }}</h1>", "gold.liquid": "<h1>Gold</h1>"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TESSERA_SECRET", "a secret for tests only")
    monkeypatch.chdir(tmp_path)
    folder = write_site(tmp_path / "site", {"home.yaml": PAGE}, TEMPLATES)
    (folder / "tessera.toml").write_text('[site]\nlocales = ["en", "de"]\n')
    return folder


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(tessera, [str(word) for word in words], catch_exceptions=False)


def test_check_passes_the_demo() -> None:
    done = run("check")
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "0 errors, 0 warnings")


def test_check_points_at_the_character_and_exits_with_1(site: Path) -> None:
    (site / "rules" / "home.yaml").write_text(
        "page: home\nslots:\n  hero:\n    default: {template: hero.liquid}\n    rules:\n"
        '      - name: Gold\n        when: visitor.teir == "gold"\n        show: {template: gold.liquid}\n'
    )
    done = run("check", "--site", site)
    assert done.exit_code == 1
    assert done.output == (
        "rules/home.yaml:7:15: error[R104]: unknown fact `visitor.teir`\n"
        "  |\n"
        '7 |         when: visitor.teir == "gold"\n'
        "  |               ^^^^^^^^^^^^ not declared in rules/facts.yaml\n"
        "  = help: did you mean `visitor.tier`?\n"
        "1 error, 0 warnings\n"
    )


def test_check_points_into_templates_too(site: Path) -> None:
    (site / "templates" / "gold.liquid").write_text("<h1>\n  {{ visitor.frist_name }}</h1>")
    done = run("check", "--site", site)
    assert done.exit_code == 1
    assert "templates/gold.liquid:2:6: error[S102]: unknown name `visitor.frist_name`" in done.output
    assert "= help: did you mean `visitor.first_name`?" in done.output


def test_check_goes_on_watching(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = iter([True, False])

    def wait(seconds: float) -> None:
        if not next(waits):
            raise KeyboardInterrupt
        (site / "templates" / "gold.liquid").unlink()

    monkeypatch.setattr("tessera.renderer.reload.time.sleep", wait)
    done = run("check", "--watch", "--site", site)
    assert [line for line in done.output.splitlines() if line.endswith("warnings")] == [
        "0 errors, 0 warnings",
        "2 errors, 0 warnings",
    ]


def test_check_reports_as_json(site: Path) -> None:
    (site / "templates" / "gold.liquid").unlink()
    done = run("check", "--site", site, "--format", "json")
    assert [(each["code"], each["file"]) for each in json.loads(done.output)] == [("S101", "rules/home.yaml")] * 2


def test_render_prints_the_fragment(site: Path) -> None:
    done = run("render", "home/hero", "--site", site, "--given", "param.q=<you>")
    assert (done.exit_code, done.output) == (0, "<h1>Hello &lt;you&gt;</h1>\n")


def test_render_takes_given_facts_for_granted(site: Path) -> None:
    given = ["--given", "visitor.tier=gold", "--given", "device.type=mobile"]
    assert run("render", "home/hero", "--site", site, *given).output == "<h1>Gold</h1>\n"


def test_explain_tells_every_rule(site: Path) -> None:
    words = ["--given", "visitor.tier=gold", "--at", "2026-11-24T10:00+01:00", "--visitor", "ann"]
    done = run("explain", "home/hero", "--site", site, *words)
    assert done.exit_code == 0
    for expected in ("Gold members", "Everybody in December", "DEFAULT", "2026-12-01", "visitor.tier", "missing"):
        assert expected in done.output


def test_explain_as_json_has_the_same(site: Path) -> None:
    told = json.loads(run("explain", "home/hero", "--site", site, "--format", "json").output)
    assert told["decision"]["reason"] == "DEFAULT"
    assert [rule["name"] for rule in told["rules"]] == ["Gold members", "Everybody in December"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["render", "home/hreo"], "there is no slot `home/hreo`; there are home/hero"),
        (["render", "home/hero", "--at", "soon"], "`soon` is not a moment"),
        (["render", "home/hero", "--given", "visitor.tier"], "`visitor.tier` is not a declared fact, an equals sign"),
        (["render", "home/hero", "--given", "visitor.tier=tin"], "`tin` is not one of none, silver, gold"),
    ],
)
def test_words_that_cannot_be_used_are_said_and_exit_with_2(site: Path, words: list[str], said: str) -> None:
    done = run(*words, "--site", site)
    assert done.exit_code == 2
    assert said in done.output


def test_settings_that_cannot_be_used_are_all_said(site: Path) -> None:
    (site / "tessera.toml").write_text("[server]\nport = -1\nprot = 2\n")
    done = run("serve", "--site", site)
    assert (done.exit_code, done.output) == (
        2,
        "`server.port`: input should be greater than or equal to 0, not `-1`\n"
        "`server.prot`: there is no such setting\n",
    )


def test_a_site_with_errors_is_not_served(site: Path) -> None:
    (site / "templates" / "hero.liquid").write_text("{% if %}")
    done = run("serve", "--site", site)
    assert done.exit_code == 1
    assert "templates/hero.liquid:1:" in done.output


@pytest.mark.parametrize("command", ["serve", "check", "render", "explain"])
def test_help_says_what_a_command_does(command: str) -> None:
    done = run(command, "--help")
    assert done.exit_code == 0
    assert "--site" in done.output
