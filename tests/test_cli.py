"""The command line, as a user types it."""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from tessera.cli.main import tessera
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


def test_check_warns_of_orders_to_a_proxy(site: Path) -> None:
    (site / "templates" / "gold.liquid").write_text('<h1>x</h1>\n<p><!--#include virtual="/x" --></p>')
    done = run("check", "--site", site)
    assert (
        "templates/gold.liquid:2:4: warning[S401]: "
        "a fragment gives no orders to a proxy, so this is served as a comment or as text\n"
        "  |\n"
        '2 | <p><!--#include virtual="/x" --></p>\n'
        "  |    ^^^^^\n"
        "  = help: let the page that includes the fragment do it\n"
    ) in done.output


def test_check_goes_on_watching(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = iter([True, False])

    def wait(seconds: float) -> None:
        if not next(waits):
            raise KeyboardInterrupt
        (site / "templates" / "gold.liquid").unlink()

    monkeypatch.setattr("tessera.renderer.reload.time.sleep", wait)
    done = run("check", "--watch", "--site", site)
    assert [line for line in done.output.splitlines() if line.endswith("warnings")] == [
        "0 errors, 7 warnings",
        "2 errors, 0 warnings",
    ]


def test_check_reports_as_json(site: Path) -> None:
    (site / "templates" / "gold.liquid").unlink()
    done = run("check", "--site", site, "--format", "json")
    assert [(each["code"], each["file"]) for each in json.loads(done.output)] == [("S101", "rules/home.yaml")] * 2


def test_check_reports_as_sarif_and_to_github_with_paths_from_here(site: Path) -> None:
    (site / "templates" / "gold.liquid").unlink()
    log = json.loads(run("check", "--site", site, "--format", "sarif").output)
    (place,) = log["runs"][0]["results"][0]["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "site/rules/home.yaml"
    done = run("check", "--site", site, "--format", "github")
    assert done.exit_code == 1
    assert done.output.startswith("::error file=site/rules/home.yaml,line=7,")


@pytest.mark.parametrize("words", [["check"], ["test"], ["reweight", "colours", "--export", "growthbook"]])
def test_who_answers_nobody_needs_no_secret(site: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.delenv("TESSERA_SECRET")
    assert run(*words, "--site", site).exit_code == 0


@pytest.mark.parametrize("code", ["R104", "S101", "t103"])
def test_check_explains_a_code(code: str) -> None:
    done = run("check", "--why", code)
    assert (done.exit_code, done.output[:6]) == (0, f"{code.upper()}: ")


def test_check_says_when_there_is_no_such_code() -> None:
    done = run("check", "--why", "R999")
    assert done.exit_code == 2
    assert done.output.startswith("there is no code `R999`; ")


TESTS = """
    tests:
      - name: gold
        given: {visitor: {tier: gold}, device: {type: mobile}, at: 2026-11-24T10:00Z}
        expect: {slot: hero, rule: Gold members}
      - name: mistaken
        given: {visitor: {tier: silver}, device: {type: mobile}, at: 2026-11-24T10:00Z}
        expect: {slot: hero, rule: Gold members}
"""


def test_the_demo_passes_its_tests() -> None:
    done = run("test", "cart", "product")
    assert (done.exit_code, done.output) == (0, "cart: 4 of 4 passed\nproduct: 4 of 4 passed\n")


def test_a_test_that_fails_tells_what_differs_and_what_every_rule_did(site: Path) -> None:
    write_site(site, {"home.yaml": dedent(PAGE) + dedent(TESTS)}, {})
    done = run("test", "--site", site)
    assert done.exit_code == 1
    assert done.output == (
        "rules/home.yaml:19:5: failed: mistaken\n"
        "  rule: expected Gold members, got default\n"
        "  home/hero at 2026-11-24T10:00:00Z\n"
        "    unmatched: Gold members\n"
        "      the condition is false\n"
        '      false   visitor.tier == "gold" and device.type == "mobile"\n'
        '        false   visitor.tier == "gold"  (visitor.tier is "silver")\n'
        '        true    device.type == "mobile"  (device.type is "mobile")\n'
        "    unknown: Everybody in December\n"
        "      the condition is unknown, and on_unknown is skip\n"
        "      unknown visitor.known  (visitor.known is unknown)\n"
        "    DEFAULT: the default\n"
        "      shows template hero.liquid\n"
        "\n"
        "home: 1 of 2 passed\n"
    )


def test_tests_are_reported_as_json_and_junit(site: Path) -> None:
    write_site(site, {"home.yaml": dedent(PAGE) + dedent(TESTS)}, {})
    told = json.loads(run("test", "--site", site, "--format", "json").output)
    assert [(each["name"], each["passed"]) for each in told] == [("gold", True), ("mistaken", False)]
    suites = ElementTree.fromstring(run("test", "--site", site, "--format", "junit").output)
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in suites] == [("home", "2", "1")]
    assert [each.get("message") for each in suites.iter("failure")] == ["rule: expected Gold members, got default"]


def test_fmt_gives_files_their_one_form(site: Path) -> None:
    page, broken = site / "rules" / "home.yaml", site / "rules" / "broken.yaml"
    tidy = page.read_text()
    page.write_text(tidy.replace(": ", ":   "))
    broken.write_text("page:   broken\nslots: [\n")
    done = run("fmt", "--site", site, "--check")
    assert (done.exit_code, done.output.splitlines()[0]) == (1, "site/rules/home.yaml would change")
    assert "site/rules/broken.yaml:3:1: error[R003]" in done.output
    done = run("fmt", "--site", site)
    assert (done.exit_code, page.read_text()) == (1, tidy)
    assert broken.read_text() == "page:   broken\nslots: [\n"
    done = run("fmt", page, "--check")
    assert (done.exit_code, done.output) == (0, "")


def test_the_demo_has_its_one_form() -> None:
    assert run("fmt", "--check").output == ""


def test_reweight_writes_the_file_and_tells_who_moves(site: Path) -> None:
    done = run("reweight", "colours", "red=20,blue=80", "--site", site)
    assert (done.exit_code, done.output) == (
        0,
        "red → blue: 30.00 percent of all visitors\nrules/experiments.yaml changed\n",
    )
    assert (site / "rules" / "experiments.yaml").read_text() == (
        "experiments:\n  colours: {unit: visitor.id, version: 1, arms: {red: 20, blue: 80}, "
        "ranges: {red: [[0.0, 0.2]], blue: [[0.2, 1.0]]}}\n"
    )
    done = run("reweight", "colours", "--site", site, "--export", "growthbook")
    assert json.loads(done.output)["ranges"] == [[0.0, 0.2], [0.2, 1.0]]


def test_diff_tells_what_visitors_would_see_otherwise(site: Path, tmp_path: Path) -> None:
    other = write_site(tmp_path / "other", {"home.yaml": PAGE.replace('"gold"', '"silver"')}, TEMPLATES)
    done = run("diff", site, other)
    assert done.exit_code == 0
    assert done.output.startswith("home/hero: ")
    assert "  Gold members → default\n    template gold.liquid → template hero.liquid\n" in done.output
    assert run("diff", site, site).output == "1 of 1 slots are as before\n"
    situation = {"page": "home", "slot": "hero", "at": "2026-11-24T10:00Z", "facts": {"visitor.tier": "silver"}}
    phone = {**situation, "facts": {"visitor.tier": "silver", "device.type": "mobile"}}
    file = tmp_path / "situations.jsonl"
    file.write_text(f"{json.dumps(situation)}\n{json.dumps(phone)}\n")
    told = json.loads(run("diff", site, other, "--contexts", file, "--format", "json").output)
    assert [(each["tried"], each["share"]) for each in told["slots"]] == [(2, 0.5)]
    told = json.loads(run("explain", "home/hero", "--site", other, "--context", f"{file}:2", "--format", "json").output)
    assert told["decision"]["rule"] == "Gold members"
    done = run("explain", "home/hero", "--site", other, "--context", f"{file}:3")
    assert (done.exit_code, done.output) == (2, f"{file} has no line 3\n")
    file.write_text("{}")
    done = run("diff", site, other, "--contexts", file)
    assert done.exit_code == 2
    assert done.output == f"{file}:1: a situation is an object with `page`, `slot`, `at` and `facts`\n"


def test_schemas_are_written_for_editors(tmp_path: Path) -> None:
    done = run("schema", "--write", tmp_path / "rules" / ".schemas")
    assert done.exit_code == 0
    assert len(done.output.splitlines()) == 7
    assert json.loads((tmp_path / "rules" / ".schemas" / "page.json").read_text())["title"] == "A page"
    (tmp_path / "taken").write_text("")
    assert run("schema", "--write", tmp_path / "taken" / "here").exit_code == 2


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


def test_explain_tells_what_is_in_the_key_only_as_an_answer(site: Path) -> None:
    (site / "templates" / "hero.liquid").write_text("{% if visitor.tier == 'gold' %}Gold{% endif %}{{ param.q }}")
    done = run("explain", "home/hero", "--site", site)
    assert "in the key only as an answer:\n  visitor.tier == 'gold'\n" in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["test", "hoem"], "there is no page `hoem`; did you mean `home`?"),
        (["reweight", "colors", "red=50"], "there is no experiment `colors`; did you mean `colours`?"),
        (["reweight", "colours", "red=50"], "give each arm one weight: red=…, blue=…"),
        (["reweight", "colours"], "say the new weight of each arm, or what to export"),
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


@pytest.mark.parametrize("command", ["serve", "check", "test", "fmt", "reweight", "render", "explain"])
def test_help_says_what_a_command_does(command: str) -> None:
    done = run(command, "--help")
    assert done.exit_code == 0
    assert "--site" in done.output


HEAVY = "aiohttp asyncpg botocore growthbook httpx openfeature opentelemetry redis schemathesis"
"""What takes long to import, and is needed only where the settings name it."""


def test_a_server_loads_only_what_its_settings_name() -> None:
    said = f"import sys, tessera.cli.serve; print(*set({HEAVY.split()!r}).intersection(sys.modules))"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "\n"
