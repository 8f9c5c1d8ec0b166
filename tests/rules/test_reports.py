"""Complaints for other programs."""

from typing import Any

from tessera.rules.diagnostics import Diagnostic
from tessera.rules.reports import to_github, to_sarif
from tessera.rules.source import Span

TYPO = Diagnostic(
    "R104", "error", "unknown fact `a`", Span("rules/my page.yaml", 3, 5, 6), "not declared", "did you mean `b`?"
)
EMPTY = Diagnostic("R011", "warning", "100%: one,\ntwo", Span("rules/a,b:c.yaml", 1, 1, 1))


def run_of(log: dict[str, Any]) -> dict[str, Any]:
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def test_sarif_has_a_rule_for_each_code_and_a_result_for_each_complaint() -> None:
    log = to_sarif([TYPO, EMPTY, TYPO], {"R104": "No such fact.", "R011": "Something is missing."}, "shop/")
    assert log["version"] == "2.1.0"
    run = run_of(log)
    assert run["tool"]["driver"]["rules"] == [
        {"id": "R011", "shortDescription": {"text": "Something is missing."}},
        {"id": "R104", "shortDescription": {"text": "No such fact."}},
    ]
    assert [result["ruleIndex"] for result in run["results"]] == [1, 0, 1]
    assert run["results"][0] == {
        "ruleId": "R104",
        "ruleIndex": 1,
        "level": "error",
        "message": {"text": "unknown fact `a`; not declared; did you mean `b`?"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "shop/rules/my%20page.yaml"},
                    "region": {"startLine": 3, "startColumn": 5, "endColumn": 6},
                }
            }
        ],
    }


def test_a_clean_site_is_a_sarif_log_too() -> None:
    assert run_of(to_sarif([], {}))["results"] == []


def test_github_commands_escape_what_means_something_to_the_runner() -> None:
    assert to_github([TYPO, EMPTY], "shop/") == (
        "::error file=shop/rules/my page.yaml,line=3,col=5,endColumn=6,title=R104"
        "::unknown fact `a`; not declared; did you mean `b`?\n"
        "::warning file=shop/rules/a%2Cb%3Ac.yaml,line=1,col=1,endColumn=1,title=R011::100%25: one,%0Atwo\n"
    )
