"""docs/security.md is a tested contract: the tests that it names are there, and it leaves none of these files out."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_every_test_that_is_named_is_there(file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    found = {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert not test or test in found


def test_every_file_of_security_tests_is_named() -> None:
    files = {file.name for file in Path(__file__).parent.glob("test_*.py")} - {Path(__file__).name}
    assert files == {Path(file).name for file, _ in NAMED if file.startswith("tests/security/")}


def test_every_threat_has_a_test() -> None:
    table = PAGE.split("## Threats")[1].split("##")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    assert all("`tests/" in row.split(" | ")[-1] for row in rows)


def test_operators_find_it() -> None:
    assert "(security.md)" in (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
