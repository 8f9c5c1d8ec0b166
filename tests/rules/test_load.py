"""From files on disk to a ruleset: what is read, what is refused, and what a version stands for."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tessera.rules.assemble import Loaded
from tessera.rules.diagnostics import render_text
from tessera.rules.load import load_ruleset
from tests.rules import building


@pytest.fixture
def site(tmp_path: Path) -> Path:
    write(tmp_path, {**building.SHARED, "home.yaml": building.PAGE})
    return tmp_path


def write(site: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = site / "rules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def load(site: Path) -> Loaded:
    return load_ruleset(site / "rules", site)


def told(site: Path) -> str:
    loaded = load(site)
    assert loaded.ruleset is None
    return render_text(loaded.diagnostics, loaded.sources)


def test_a_sound_site_gives_a_ruleset_and_no_complaint(site: Path) -> None:
    loaded = load(site)
    assert loaded.diagnostics == ()
    assert loaded.ruleset is not None
    assert sorted(loaded.ruleset.pages) == ["home"]
    assert sorted(loaded.ruleset.ctas) == ["discover", "shop"]


def test_files_are_known_by_their_names_in_any_folder(site: Path) -> None:
    (site / "rules" / "sets").mkdir()
    for name in ("facts.yaml", "home.yaml"):
        (site / "rules" / name).rename(site / "rules" / "sets" / name)
    write(site, {"sets/deep/cart.yaml": "page: cart\nslots: {nudge: {default: nothing}}\n"})
    loaded = load(site)
    assert loaded.ruleset is not None
    assert sorted(loaded.ruleset.pages) == ["cart", "home"]
    assert "rules/sets/facts.yaml" in loaded.sources


def test_declarations_of_one_kind_may_stand_in_several_files(site: Path) -> None:
    write(site, {"shop/segments.yaml": "segments: {buyers: {when: visitor.bought_at is known}}"})
    loaded = load(site)
    assert loaded.ruleset is not None
    assert {"vip", "buyers"} <= loaded.ruleset.segments.keys()


def test_a_name_may_not_be_declared_in_two_files(site: Path) -> None:
    write(site, {"shop/segments.yaml": "segments: {vip: {source: profile}}"})
    assert told(site) == (
        "rules/shop/segments.yaml:1:12: error[R014]: segment `vip` is declared twice\n"
        "  |\n"
        "1 | segments: {vip: {source: profile}}\n"
        "  |            ^^^\n"
    )


def test_a_page_may_not_be_declared_in_two_files(site: Path) -> None:
    write(site, {"second.yaml": building.PAGE})
    assert "error[R014]: page `home` is declared twice" in told(site)


def test_hidden_files_and_other_files_are_left_alone(site: Path) -> None:
    write(site, {".home.yaml": "nonsense", ".git/x.yaml": "nonsense", "notes.txt": "nonsense"})
    assert load(site).ruleset is not None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.yml", b"page: x", "rule files end in `.yaml`; rename this one"),
        ("x.yaml", b"page: \xff\xfe", "the file is not UTF-8 from byte 6 on"),
        ("x.yaml", "page: x".encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
        ("x.yaml", b"#" * (5 << 20), "the file is larger than 4 MiB"),
    ],
)
def test_what_cannot_be_read_is_a_complaint(site: Path, name: str, content: bytes, message: str) -> None:
    write(site, {name: content})
    assert told(site) == f"rules/{name}:1:1: error[R001]: {message}\n"


def test_a_folder_in_the_place_of_a_file_is_a_complaint(site: Path) -> None:
    (site / "rules" / "x.yaml").symlink_to(site / "nowhere")
    assert told(site) == "rules/x.yaml:1:1: error[R001]: the file cannot be read: No such file or directory\n"


def test_a_folder_without_rules_is_a_complaint(tmp_path: Path) -> None:
    assert told(tmp_path) == "rules:1:1: error[R001]: there are no rule files here\n"


def test_names_that_an_unreadable_file_may_declare_are_not_complained_of(site: Path) -> None:
    write(site, {"facts.yaml": b"\xff", "ctas.yaml": "ctas: ["})
    assert [(each.code, each.span.file) for each in load(site).diagnostics] == [
        ("R003", "rules/ctas.yaml"),
        ("R001", "rules/facts.yaml"),
    ]


def test_a_byte_order_mark_and_line_ends_of_windows_are_taken(site: Path) -> None:
    write(site, {"home.yaml": b"\xef\xbb\xbf" + building.PAGE.replace("\n", "\r\n").encode()})
    assert load(site).ruleset is not None


def test_scalars_stay_the_text_that_was_written(site: Path) -> None:
    texts = "ctas: {odd: {text: {en: NO, de: 9:30, fr: 0x1F, it: 1_000}, link: /}}"
    write(site, {"odd/ctas.yaml": texts})
    loaded = load(site)
    assert loaded.ruleset is not None
    assert dict(loaded.ruleset.ctas["odd"].text.by_locale) == {"en": "NO", "de": "9:30", "fr": "0x1F", "it": "1_000"}


def test_the_version_changes_with_any_byte_and_with_nothing_else(site: Path) -> None:
    def version() -> str:
        loaded = load(site)
        assert loaded.ruleset is not None
        return loaded.ruleset.version

    first = version()
    assert version() == first
    write(site, {"home.yaml": building.PAGE + "# a comment\n"})
    assert version() != first
    write(site, {"home.yaml": building.PAGE})
    assert version() == first


def test_complaints_of_all_files_come_sorted_by_place(site: Path) -> None:
    write(site, {"b.yaml": "page: b\nslot: {}\n", "a.yaml": "page: a\nslots: {x: {}}\npages: 1\n"})
    places = [(each.span.file, each.span.line) for each in load(site).diagnostics]
    assert places == [("rules/a.yaml", 2), ("rules/a.yaml", 3), ("rules/b.yaml", 1), ("rules/b.yaml", 2)]


def test_warnings_alone_do_not_keep_a_ruleset_back(site: Path) -> None:
    weather = "  visitor.weather: {type: string, source: request}\n"
    write(site, {"facts.yaml": building.FACTS + weather})
    loaded = load(site)
    assert loaded.ruleset is not None
    assert [each.code for each in loaded.diagnostics] == ["R112"]
