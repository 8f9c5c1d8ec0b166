"""No fragment gives a proxy an order."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.core.directives import without_directives
from tessera.renderer.core.layout import compose, fill, mark, nested_mark

ORDER = re.compile(r"<!--#|<!--esi|</?esi:")


@pytest.mark.parametrize(
    ("html", "served"),
    [
        ('<!--#include virtual="/x" -->', '<!-- #include virtual="/x" -->'),
        ("<!--esi <p>x</p> -->", "<!-- esi <p>x</p> -->"),
        ('<esi:include src="/x"/>', '&lt;esi:include src="/x"/>'),
        ("<esi:remove>x</esi:remove>", "&lt;esi:remove>x&lt;/esi:remove>"),
        ("<!-- a comment --><p>esi: #</p>", "<!-- a comment --><p>esi: #</p>"),
        ("<!--<!--#x", "<!--<!-- #x"),
    ],
)
def test_what_begins_an_order_becomes_a_comment_or_text(html: str, served: str) -> None:
    assert without_directives(html) == served


PIECES = st.sampled_from(["<", "!", "-", "--", "<!--", "#", "e", "esi", "si:", ":", "/", "<esi:", " ", "x"])
MARKED = st.lists(PIECES | st.sampled_from([mark("a"), mark("b"), nested_mark("n")])).map("".join)


@given(MARKED, MARKED, st.lists(PIECES).map("".join))
def test_what_is_put_together_has_no_order_either(layout: str, inner: str, innermost: str) -> None:
    """Two halves that meet where a fragment is put in do not make one."""
    outer, filled, nested = (without_directives(each).encode() for each in (layout, inner, innermost))
    filled = without_directives(fill(filled, {"n": nested}).decode()).encode()
    page = compose(fill(outer, {"n": nested}), {"a": filled}).decode()
    assert not ORDER.search(re.sub("<!--tessera:(slot|fragment):.-->", "", page))


def test_a_slot_within_a_comment_is_no_order() -> None:
    layout = without_directives(f"<!--{mark('a')}--><{mark('a')}>")
    assert compose(layout.encode(), {"a": b"#include x"}) == b"<!-- #include x-->< #include x>"


@given(st.lists(st.sampled_from(["<", "!--", "<!--", "#", "esi", ":", "/", "<esi:", " ", "x"])).map("".join))
def test_no_text_has_an_order_left(html: str) -> None:
    served = without_directives(html)
    assert not ORDER.search(served)
    assert without_directives(served) == served
