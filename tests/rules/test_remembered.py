"""What is remembered of rule files spares reading them, and changes nothing that is read."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from tessera.rules.assemble import Loaded, Remembered, assemble
from tessera.rules.source import Source
from tests.rules import building

CART = "page: cart\nslots: {nudge: {default: nothing, rules: [{name: a, when: segment.vip, show: nothing}]}}\n"
SITE: Mapping[str, str] = {**building.SHARED, "home.yaml": building.PAGE, "cart.yaml": CART}
TEXTS: Mapping[str, tuple[str | None, ...]] = {
    "home.yaml": (building.PAGE, building.PAGE.replace("discover", "discovr"), "page: [", "page: cart\nslots: {}"),
    "cart.yaml": (CART, CART.replace("vip", "members"), CART + "oops: 1", None),
    "more/segments.yaml": (None, "segments: {mine: {when: visitor.known}}", "segments: {vip: {source: profile}}"),
    "segments.yaml": (building.SEGMENTS, building.SEGMENTS.replace("vip", "very"), "segments: ["),
}


def sources(files: Mapping[str, str | None]) -> list[Source]:
    return [Source(f"rules/{name}", text) for name, text in files.items() if text is not None]


def edit() -> st.SearchStrategy[tuple[str, str | None]]:
    return st.sampled_from([(name, text) for name, texts in TEXTS.items() for text in texts])


@given(st.lists(edit(), max_size=6))
def test_after_any_edits_all_is_as_if_it_were_read_for_the_first_time(edits: list[tuple[str, str | None]]) -> None:
    files: dict[str, str | None] = dict(SITE)
    remembered = Remembered()
    assemble(sources(files), [], remembered)
    for name, text in edits:
        files[name] = text
        assert assemble(sources(files), [], remembered) == assemble(sources(files), [])


def pages(loaded: Loaded) -> Mapping[str, object]:
    assert loaded.ruleset is not None
    return loaded.ruleset.pages


def test_only_an_edited_page_is_read_again() -> None:
    remembered = Remembered()
    before = pages(assemble(sources(SITE), [], remembered))
    after = pages(assemble(sources({**SITE, "cart.yaml": CART + "# edited\n"}), [], remembered))
    assert after["home"] is before["home"]
    assert after["cart"] is not before["cart"]


def test_an_edit_of_a_shared_file_has_every_page_read_again() -> None:
    remembered = Remembered()
    assemble(sources(SITE), [], remembered)
    loaded = assemble(sources({**SITE, "segments.yaml": "segments: {}"}), [], remembered)
    assert [(each.code, each.span.file) for each in loaded.diagnostics] == [("R101", "rules/cart.yaml")]
