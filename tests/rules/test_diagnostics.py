"""Every complaint, word for word: the broken files of tests/diagnostics beside what authors are told of them.

A file takes the place of the page `home.yaml` of the small site, or of the shared file that its name begins with
(`facts-one-of.yaml` stands for `facts.yaml`).
"""

from pathlib import Path

import pytest

from tessera.rules.codes import CODES
from tessera.rules.diagnostics import Diagnostic, render_text, to_json
from tessera.rules.shared import SHARED_FILES
from tessera.rules.source import Source, Span
from tests.rules import building

FOLDER = Path(__file__).parents[1] / "diagnostics"
FILES = sorted(FOLDER.glob("*.yaml"))
READ_ONLY_FROM_DISK = {"R001"}


def told(file: Path) -> str:
    shared = f"{file.stem.partition('-')[0]}.yaml"
    name = shared if shared in SHARED_FILES else "home.yaml"
    return building.complaints({name: file.read_text(encoding="utf-8")})


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_authors_are_told(file: Path) -> None:
    assert told(file) == file.with_suffix(".txt").read_text(encoding="utf-8")


def test_every_code_is_shown() -> None:
    shown = "".join(file.with_suffix(".txt").read_text(encoding="utf-8") for file in FILES)
    assert {code for code in CODES if f"[{code}]" not in shown} == READ_ONLY_FROM_DISK


LINE = 'when: visitor.teir in ["gold", "platinum"]'
TEIR = Diagnostic(
    "R104",
    "error",
    "unknown fact `visitor.teir`",
    Span("rules/sets/home.yaml", 14, 17, 29),
    "not declared in rules/sets/facts.yaml",
    "did you mean `visitor.tier`?",
)
SOURCE = Source("rules/sets/home.yaml", "\n" * 13 + " " * 10 + LINE)


def test_the_layout_of_a_complaint() -> None:
    assert render_text([TEIR], {SOURCE.file: SOURCE}) == (
        "rules/sets/home.yaml:14:17: error[R104]: unknown fact `visitor.teir`\n"
        "   |\n"
        '14 |           when: visitor.teir in ["gold", "platinum"]\n'
        "   |                 ^^^^^^^^^^^^ not declared in rules/sets/facts.yaml\n"
        "   = help: did you mean `visitor.tier`?\n"
    )


def test_colours_frame_the_same_words() -> None:
    assert "\x1b[1;31merror[R104]\x1b[0m: unknown fact" in render_text([TEIR], {SOURCE.file: SOURCE}, color=True)


def test_a_file_that_is_not_at_hand_is_named_without_an_excerpt() -> None:
    assert render_text([TEIR], {}) == (
        "rules/sets/home.yaml:14:17: error[R104]: unknown fact `visitor.teir`\n"
        "   = help: did you mean `visitor.tier`?\n"
    )


def test_a_long_line_is_cut_around_the_place() -> None:
    source = Source("x", "a" * 500 + "b" + "c" * 500)
    excerpt = render_text([Diagnostic("R000", "warning", "here", Span("x", 1, 501, 502))], {"x": source})
    line, mark = excerpt.splitlines()[2:4]
    assert line == "1 | …" + "a" * 159 + "b…"
    assert mark.index("^") == line.index("b")


def test_wide_characters_and_control_characters_keep_the_mark_in_place() -> None:
    source = Source("x", "\tトビ\x1b[31mx")
    excerpt = render_text([Diagnostic("R000", "error", "a\x1bb", Span("x", 1, 9, 10))], {"x": source})
    assert excerpt == "x:1:9: error[R000]: a\ufffdb\n  |\n1 |  トビ\ufffd[31mx\n  |" + " " * 11 + "^\n"


def test_complaints_as_json() -> None:
    assert to_json([TEIR]) == [
        {
            "file": "rules/sets/home.yaml",
            "line": 14,
            "column": 17,
            "end_column": 29,
            "code": "R104",
            "severity": "error",
            "message": "unknown fact `visitor.teir`",
            "label": "not declared in rules/sets/facts.yaml",
            "help": "did you mean `visitor.tier`?",
        }
    ]
