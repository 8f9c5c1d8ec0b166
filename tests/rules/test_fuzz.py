"""Anything may be handed to the parser and to the loader: they complain, and never raise or hang."""

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.rules.assemble import assemble
from tessera.rules.check import Checker
from tessera.rules.diagnostics import MAX_COMPLAINTS, Diagnostic, render_text
from tessera.rules.load import load_ruleset
from tessera.rules.operators import OPERATORS
from tessera.rules.parser import RESERVED_WORDS, parse
from tessera.rules.source import Embedded, Source
from tests.rules import building

WORDS = [*OPERATORS, *RESERVED_WORDS, "visitor.known", "visitor.tier", "cart.value", "segment.vip", "spends_over"]
WORDS += ["(", ")", "[", "]", ",", '"gold"', "'x", "50.00", "30 days", "2026-11-24", "1.2.3", "&&", "=", "“"]

expressions = st.text() | st.text(string.printable) | st.lists(st.sampled_from(WORDS)).map(" ".join)


@given(expressions)
def test_any_text_is_a_tree_or_a_complaint(text: str) -> None:
    complaints: list[Diagnostic] = []
    embedded = Embedded(text, "x", 1, range(1, len(text) + 2))
    tree = parse(embedded, complaints)
    assert tree is not None or complaints
    if tree is not None:
        expr = Checker(building.definitions(), complaints).condition(tree)
        assert expr is not None or complaints
    assert all(1 <= each.span.column <= each.span.end_column <= len(text) + 1 for each in complaints)
    assert render_text(complaints, {"x": Source("x", text)}) or not complaints


YAML_PIECES = [
    "page: home",
    "slots:",
    "  hero:",
    "    default: nothing",
    "    rules:",
    "      - {name: a, show: nothing}",
]
YAML_PIECES += [
    "facts:",
    "  visitor.x: {type: string, source: profile}",
    "  - ",
    "{",
    "}",
    "[",
    "]",
    "&a",
    "*a",
    "!!str",
]
YAML_PIECES += [
    "? x",
    ": y",
    "|",
    ">-",
    '"',
    "'",
    "#",
    "---",
    "...",
    "%YAML 1.1",
    "\t",
    "<<: *a",
    "when: true",
    "@",
    "`",
]

files = (
    st.text()
    | st.lists(st.sampled_from(YAML_PIECES)).map("\n".join)
    | st.lists(st.sampled_from(YAML_PIECES)).map("".join)
)


@given(st.sampled_from([*building.SHARED, "home.yaml"]), files)
def test_any_file_is_a_ruleset_or_a_complaint(name: str, text: str) -> None:
    texts = {**building.SHARED, "home.yaml": building.PAGE, name: text}
    loaded = assemble([Source(f"rules/{name}", text) for name, text in texts.items()], [])
    assert (loaded.ruleset is None) == any(each.severity == "error" for each in loaded.diagnostics)
    render_text(loaded.diagnostics, loaded.sources)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rules")


@given(content=st.binary() | files.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_ruleset_or_a_complaint(folder: Path, content: bytes) -> None:
    (folder / "home.yaml").write_bytes(content)
    loaded = load_ruleset(folder, folder.parent)
    assert loaded.ruleset is not None or loaded.diagnostics


def test_a_billion_laughs_are_a_complaint() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    assert "error[R005]: aliases are not allowed" in building.complaints({"home.yaml": "\n".join(lines)})


def test_a_bottomless_file_is_a_complaint() -> None:
    told = building.complaints({"home.yaml": "page: " + "[" * 100_000})
    assert told.startswith("rules/home.yaml:1:22: error[R007]: the file nests deeper than 16 levels\n")


def test_a_bottomless_expression_is_a_complaint() -> None:
    for text in ("(" * 50_000 + "true", "not " * 50_000 + "true"):
        complaints: list[Diagnostic] = []
        assert parse(Embedded(text, "x", 1, range(1, len(text) + 2)), complaints) is None
        assert [each.code for each in complaints] == ["R206"]


def test_doubling_definitions_are_a_complaint() -> None:
    lines = ["conditions:", "  c0: {when: visitor.known}"]
    lines += [f"  c{n}: {{when: c{n - 1}() and c{n - 1}()}}" for n in range(1, 60)]
    told = building.complaints({"conditions.yaml": "\n".join(lines), "home.yaml": building.PAGE})
    assert "error[R111]: the condition comes to 512 tests, more than 500" in told


def test_a_file_of_nonsense_earns_no_more_complaints_than_can_be_read() -> None:
    for text in ("a: b\n" * 5000, "".join(f"key{number}: b\n" for number in range(5000))):
        loaded = building.load({"home.yaml": text})
        assert len([each for each in loaded.diagnostics if each.span.file == "rules/home.yaml"]) == MAX_COMPLAINTS
