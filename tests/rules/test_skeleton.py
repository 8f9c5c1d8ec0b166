"""The YAML skeleton: the same tree as any YAML reader gives, with the place of every character."""

import json
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tessera.rules import skeleton
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.skeleton import MappingNode, Node, Scalar, SequenceNode, compose, embedded
from tessera.rules.source import Source, Span

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12).filter(
    lambda text: "\ufeff" not in text and not text.startswith(("!", "?"))
)
trees = st.recursive(
    words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=8
)


@pytest.fixture(params=["libyaml", "PyYAML"], autouse=True, scope="module")
def event_source(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test with either source of events: some installations lack libyaml."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "PyYAML":
            patch.setattr(skeleton, "LOADER", yaml.SafeLoader)
        yield


def read(text: str) -> tuple[Node | None, Source]:
    source = Source("x.yaml", text)
    complaints: list[Diagnostic] = []
    node = compose(source, complaints)
    assert complaints == []
    return node, source


def plain(node: Node | None) -> object:
    match node:
        case Scalar(value):
            return value
        case SequenceNode(items):
            return [plain(item) for item in items]
        case MappingNode(entries):
            return {key.value: plain(value) for key, value in entries}
        case None:
            return None


@given(st.dictionaries(words, trees, min_size=1, max_size=3))
def test_it_reads_json_as_json_is_meant(data: dict[str, object]) -> None:
    node, _ = read(json.dumps(data, ensure_ascii=False))
    assert plain(node) == data


@given(st.dictionaries(words, trees, min_size=1, max_size=3))
def test_it_reads_blocks_as_they_are_written(data: dict[str, object]) -> None:
    node, _ = read(yaml.safe_dump(data, default_flow_style=False, allow_unicode=True))
    assert plain(node) == data


@given(words, st.sampled_from(["json", "single", "plain"]))
def test_every_character_of_a_text_knows_its_column(text: str, style: str) -> None:
    text = f"a{text}z"
    quoted = "'" + text.replace("'", "''") + "'"
    bare = text if text.isalnum() else quoted
    written = {"json": json.dumps(text, ensure_ascii=False), "single": quoted, "plain": bare}[style]
    node, source = read(f"- {written}\n")
    assert isinstance(node, SequenceNode)
    (scalar,) = node.items
    assert isinstance(scalar, Scalar)
    found = embedded(scalar, source)
    assert found is not None
    assert found.text == text
    assert len(found.columns) == len(text) + 1
    for char, column in zip(text, found.columns, strict=False):
        assert source.text[column - 1] in (char, "\\")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (r'- "a\"b\u00e9\x41\U0001F600\\c"', (4, 5, 7, 8, 14, 18, 28, 30, 31)),
        ("- 'it''s'", (4, 5, 6, 8, 9)),
        ("- plain", (3, 4, 5, 6, 7, 8)),
    ],
)
def test_escapes_take_the_columns_that_they_take(text: str, columns: tuple[int, ...]) -> None:
    node, source = read(text)
    assert isinstance(node, SequenceNode)
    assert isinstance(node.items[0], Scalar)
    found = embedded(node.items[0], source)
    assert found is not None
    assert tuple(found.columns) == columns
    assert found.span(1, 2) == Span("x.yaml", 1, columns[1], columns[2])


@pytest.mark.parametrize("text", ["- |\n  a\n", "- >-\n  a\n", "- a\n  b\n", '- "a\n  b"\n'])
def test_a_text_on_several_lines_has_no_columns(text: str) -> None:
    node, source = read(text)
    assert isinstance(node, SequenceNode)
    assert isinstance(node.items[0], Scalar)
    assert embedded(node.items[0], source) is None
