"""Markup injection: wherever a value stands, it makes neither an element, nor an attribute, nor a script."""

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.renderer.core.directives import DIRECTIVES, without_directives
from tessera.renderer.engines.base import Template
from tests.renderer.engines.loading import template

PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "</p><p>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;",
    "\u2028alert(1)//",
    "\\u003cscript>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " \x01javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\r\nscript:alert(1)",
    "javascript&colon;alert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "blob:https://x/y",
    "{{ 7 * 7 }}{% abort %}{# x #}",
    "{{ visitor.secret }}",
    "{% include 'partials/secret' %}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "%(secret)s {0.__class__} __import__('os')",
    '<!--#include virtual="/secret" -->',
    '<!--#exec cmd="id" -->',
    '#include virtual="/secret" -->',
    '<esi:include src="/secret"/>',
    "<!--esi <esi:vars>$(HTTP_COOKIE)</esi:vars> -->",
    'esi:include src="/secret"/>',
    "<!--tessera:slot:hero-->",
    "<!--tessera:fragment:x-->",
)
POSITIONS = {
    "text": "<p>{{ value }}</p>",
    "double quotes": '<p title="{{ value }}">x</p>',
    "single quotes": "<p title='{{ value }}'>x</p>",
    "textarea": "<textarea>{{ value }}</textarea>",
    "address": '<a href="{{ value | url }}">x</a>',
    "address after a path": '<a href="/go?to={{ value | %s }}">x</a>',
    "script": '<script type="application/json">{{ value | json_script }}</script>',
    "style": '<p style="--hue:{{ value | %s }}">x</p>',
}
BY_LANGUAGE = {
    "liquid": {"address after a path": "url_encode", "style": "round"},
    "jinja": {"address after a path": "urlencode", "style": "int"},
}


class Seen(HTMLParser):
    """What a browser finds in a fragment."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, list[str]]] = []
        self.addresses: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [name for name, _ in attrs]))
        self.addresses += [value or "" for name, value in attrs if name == "href"]


def templates() -> Iterator[tuple[str, Template]]:
    for suffix, filters in BY_LANGUAGE.items():
        for position, text in POSITIONS.items():
            yield position, template(text.replace("%s", filters.get(position, "")), suffix)


TEMPLATES = [pytest.param(*each, id=f"{each[1].name.rpartition('.')[2]}: {each[0]}") for each in templates()]


def assert_harmless(page: Template, value: str) -> None:
    plain, attacked = (Seen(without_directives(page.render({"value": each}))) for each in ("7", value))
    assert attacked.tags == plain.tags, value
    for address in attacked.addresses:
        seen = "".join(address.split()).strip("".join(map(chr, range(0x21)))).lower()
        assert not seen.startswith(("javascript:", "vbscript:", "data:", "blob:")), value


@pytest.mark.parametrize(("position", "page"), TEMPLATES)
def test_no_value_leaves_its_position(position: str, page: Template) -> None:
    for value in PAYLOADS:
        assert_harmless(page, value)
        assert not DIRECTIVES.search(without_directives(page.render({"value": value})))


@pytest.mark.parametrize(("position", "page"), TEMPLATES)
def test_no_text_at_all_leaves_its_position(position: str, page: Template) -> None:
    @settings(max_examples=40, deadline=None)
    @given(
        st.text(max_size=20)
        | st.lists(st.sampled_from(["<", ">", '"', "'", "&", "=", " ", "/", "script", "-->"])).map("".join)
    )
    def check(value: str) -> None:
        assert_harmless(page, value)

    check()


SURROUNDINGS = ("<!--{}-->", "<!-- {} -->", "<{}", "<!-{}", "<!--{}", '<p title="{}">', "{}{}")


@pytest.mark.parametrize("suffix", BY_LANGUAGE)
def test_no_value_gives_a_proxy_an_order_wherever_it_stands(suffix: str) -> None:
    for around in SURROUNDINGS:
        page = template(around.replace("{}", "{{ value }}"), suffix)
        for value in PAYLOADS:
            assert not DIRECTIVES.search(without_directives(page.render({"value": value}))), (around, value)


@pytest.mark.parametrize("suffix", BY_LANGUAGE)
def test_data_is_never_compiled(suffix: str) -> None:
    page = template("[{{ value }}]", suffix)
    for value in ("{{ 7 * 7 }}", "{% if true %}x{% endif %}", "{{ secret }}", "{{ value }}", "{% raw %}", "${7*7}"):
        shown = page.render({"value": value, "secret": "hidden"})
        assert "49" not in shown
        assert "hidden" not in shown
        assert value.replace("'", "&#39;") in shown


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("/a?b=1&c", "/a?b=1&c"),
        ("HTTPS://x.example/", "HTTPS://x.example/"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("tent:red", "#"),
        ("./tent:red", "./tent:red"),
        ("?q=a:b", "?q=a:b"),
        ("", ""),
        (None, ""),
        (" /x\n", "/x"),
        ("java\nscript:alert(1)", "#"),
        ("\x00javascript:alert(1)", "#"),
    ],
)
def test_an_address_is_of_this_site_or_of_a_harmless_scheme(value: str | None, written: str) -> None:
    for suffix in BY_LANGUAGE:
        assert template("{{ value | url }}", suffix).render({"value": value}) == written.replace("&", "&amp;")


def test_what_was_captured_is_read_as_a_browser_would() -> None:
    page = template("{% capture to %}&#106;avascript:{{ value }}{% endcapture %}{{ to | url }}", "liquid")
    assert page.render({"value": "alert(1)"}) == "#"
