"""No fragment gives a proxy an order."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.core.directives import without_directives

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


@given(st.lists(st.sampled_from(["<", "!--", "<!--", "#", "esi", ":", "/", "<esi:", " ", "x"])).map("".join))
def test_no_text_has_an_order_left(html: str) -> None:
    served = without_directives(html)
    assert not ORDER.search(served)
    assert without_directives(served) == served
