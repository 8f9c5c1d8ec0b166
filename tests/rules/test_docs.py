"""docs/rules.md documents the language as it is: every type, source, operator, key and code, in examples that load."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tessera.rules import (
    casefile,
    ctas,
    declare,
    definitions,
    experiments,
    holdouts,
    lists,
    outcomes,
    pages,
    rollouts,
    schedule,
)
from tessera.rules.assemble import assemble
from tessera.rules.cases import run_cases
from tessera.rules.codes import CODES
from tessera.rules.diagnostics import render_text
from tessera.rules.facts import DECLARED_SOURCES, REQUEST_FACTS, RESERVED, TYPES
from tessera.rules.operators import ROWS, Operator
from tessera.rules.shared import SHARED_FILES
from tessera.rules.source import Source

TEXT = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
EXAMPLES = re.findall(r"```yaml\n# (\S+\.yaml)\n(.*?)```", TEXT, re.DOTALL)


def section(title: str) -> str:
    """What stands under a heading, without what stands under its subheadings."""
    return re.split(r"^#+ ", re.split(rf"^#+ {re.escape(title)}\n", PROSE, flags=re.MULTILINE)[1], flags=re.MULTILINE)[
        0
    ]


def first_cells(text: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_every_example_loads_without_a_complaint() -> None:
    assert len(EXAMPLES) == TEXT.count("```yaml")
    loaded = assemble([Source(f"rules/{name}", text) for name, text in EXAMPLES], [])
    assert render_text(loaded.diagnostics, loaded.sources) == ""
    assert loaded.ruleset is not None
    assert [result for result in run_cases(loaded.ruleset) if not result.passed] == []


def test_the_complaint_that_is_shown_is_the_one_that_is_made() -> None:
    files = dict(EXAMPLES)
    files["home.yaml"] = files["home.yaml"].replace("visitor.tier", "visitor.teir")
    loaded = assemble([Source(f"rules/{name}", text) for name, text in files.items()], [])
    (shown,) = re.findall(r"^```\n(rules/.*?)```", TEXT, re.DOTALL | re.MULTILINE)
    assert render_text(loaded.diagnostics, loaded.sources) == shown


@pytest.mark.parametrize("operator", ROWS, ids=lambda row: str(row.words))
def test_every_operator_is_documented_with_an_example(operator: Operator) -> None:
    types = "any" if operator.subjects == TYPES else ", ".join(operator.subjects)
    (row,) = [line for line in section("Expressions").splitlines() if line.startswith(f"| `{operator.words}` |")]
    prefix = f"| `{operator.words}` | {types} | {operator.about} | `"
    assert row.startswith(prefix)
    example = row.removeprefix(prefix).removesuffix("` |")
    assert f" {operator.words}" in example
    page = f"page: x\nslots: {{x: {{default: nothing, rules: [{{name: x, when: '{example}', show: nothing}}]}}}}"
    sources = [*EXAMPLES, ("x.yaml", page)]
    loaded = assemble([Source(f"rules/{name}", text) for name, text in sources], [])
    assert render_text(loaded.diagnostics, loaded.sources) == ""


def test_every_type_is_documented() -> None:
    assert first_cells(section("Types")) == list(TYPES)


def test_every_source_is_documented() -> None:
    assert first_cells(section("Sources")) == list(DECLARED_SOURCES)
    assert all(f"`{name}`" in section("Sources") for name in REQUEST_FACTS)


def test_every_file_is_documented() -> None:
    assert first_cells(section("Files")) == list(SHARED_FILES)


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        ("Keys of a fact", declare.FACT.keys),
        ("Segments", definitions.SEGMENT_KEYS),
        ("Conditions", definitions.CONDITION_KEYS),
        ("CTAs", ctas.CTA_KEYS),
        ("Lists", lists.LIST_KEYS),
        ("Experiments", experiments.EXPERIMENT_KEYS),
        ("Holdouts", holdouts.HOLDOUT_KEYS),
        ("Rollouts", rollouts.ROLLOUT_KEYS),
        ("Pages", pages.PAGE_KEYS),
        ("Slots", pages.SLOT_KEYS),
        ("Rules", pages.RULE_KEYS),
        ("Outcomes", ("template", *outcomes.PARTS)),
        ("Layouts", pages.LAYOUT_KEYS),
        ("Windows", schedule.KEYS),
        ("Tests", (*casefile.CASE_KEYS, *casefile.EXPECT_KEYS)),
    ],
)
def test_every_key_is_documented(title: str, keys: Sequence[str]) -> None:
    assert first_cells(section(title)) == list(keys)


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Keys of a fact", [*declare.ITEM_FIELD.keys, *RESERVED, "public", "context", "private"]),
        ("Pages", declare.PAGE_PARAM.keys),
        ("Conditions", declare.CONDITION_PARAM.keys),
        ("CTAs", declare.CTA_PARAM.keys),
        ("Lists", lists.KINDS),
        ("Experiments", [*holdouts.STATUSES, *experiments.GROUP_KEYS]),
        ("Rules", pages.SPLIT_KEYS),
        ("Unknown and stale", ["skip", "match", "stale 15m"]),
        ("Expressions", ["ignoring case", "and", "or", "not", *[row.words for row in ROWS if row.folds]]),
    ],
)
def test_every_word_is_documented(title: str, words: Sequence[str]) -> None:
    assert [word for word in words if f"`{word}`" not in section(title)] == []


def test_every_code_is_documented_as_it_is_explained() -> None:
    rows = re.findall(r"^\| `(R\d{3})` \| (.*) \|$", section("Complaints"), re.MULTILINE)
    assert dict(rows) == CODES
