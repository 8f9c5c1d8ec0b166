"""Anything may stand in a Liquid file: loading it ends soon, with a complaint or without, and so does rendering it."""

from contextlib import suppress
from decimal import Decimal
from time import process_time

from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.renderer.engines.base import RenderError
from tessera.renderer.engines.liquid.filters import liquid_filters
from tests.renderer.engines.loading import complaints, load

SECONDS = 5.0
"""Of the processor, to load one file and render it. Generous: the worst that we know take some tenths of one."""

TAGS = """
assign block break call capture case comment continue cycle decrement doc echo else elsif extends for if ifchanged
include increment liquid macro raw render tablerow unless when endblock endcase endcomment endfor endif endraw
""".split()
WORDS = r"""
in with as reversed limit: offset: cols: continue and or contains not true nil empty blank a b items a.b a['x'] a[b.c]
(1..3) (1..99999999999999999999) -1 1.5 99999999999999999999 1e9 '' 'x' "it's" 'main' | : , . .. == != <> < >= = [ ] ( )
; # @ $ \ ` ~ ? - -- upcase forloop.parentloop
""".split()
LETTERS = (
    "\u2028",
    "\x85",
    "\x1c",
    "\u200b",
    "\ufeff",
    "İ",
    "ß",
    "\U0001f469\u200d\U0001f680",
    "e\u0301",
    "\u202e",
    "٣",
)
PIECES = [
    *("{{", "}}", "{%", "%}", "{{-", "-}}", "{%-", "-%}", "{", "}", "%", "{#", "#}", "\n", " ", "\t", *LETTERS),
    *(text for tag in TAGS for text in (f"{{% {tag} %}}", f"{{%{tag} ")),
    *(f" {word} " for word in WORDS),
    *("{% if a %}", "{% for i in items %}", "{{ a | append: a }}", "{% liquid\nif a\n", "{{ i | times: i }}"),
]
VALUES = [
    *("a", "b", "items", "f", "d", "n", "nil", "true", "-1", "0", "1.5", "9" * 400, "(1..99999999999)", "blank", "''"),
    *(
        f"'{text}'"
        for text in ("9" * 400, "1e999", "nan", "9e9999999", "x" * 3000, "<b>&amp;</b>", "&#9999999999;", "%s")
    ),
    *(f"'{letter}'" for letter in LETTERS),
]
BLOCKS = (
    *(
        ("{% for i in items %}", "{% endfor %}"),
        ("{% if a %}", "{% endif %}"),
        ("{% ifchanged %}", "{% endifchanged %}"),
    ),
    *(("{% capture a %}", "{% endcapture %}"), ("{% tablerow i in (1..2) %}", "{% endtablerow %}")),
    ("{% case a %}{% when a %}", "{% endcase %}"),
)
INPUTS = {
    "a": {"b": 1, "x": "<x>"},
    "b": {"c": "b"},
    "items": [{"x": 1}, {"x": None}, {"x": [1, 2]}, "x", None],
    "f": 1e300,
    "d": Decimal("1E+9999"),
    "n": 10**1000,
}

pieces = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
repeated = st.tuples(pieces, st.integers(1, 4000), pieces).map(lambda drawn: (drawn[0] * drawn[1])[:40_000] + drawn[2])
values = st.sampled_from(VALUES)
filters = st.tuples(st.sampled_from(sorted(liquid_filters())), st.lists(values, max_size=3)).map(
    lambda drawn: f" | {drawn[0]}" + (": " + ", ".join(drawn[1]) if drawn[1] else "")
)
chains = st.tuples(values, st.lists(filters, max_size=3).map("".join)).map("".join)
outputs = chains.map(lambda chain: f"{{% assign a = {chain} %}}{{{{ {chain} }}}}")
nested = st.tuples(st.sampled_from(BLOCKS), st.integers(0, 31), outputs).map(
    lambda drawn: drawn[0][0] * drawn[1] + drawn[2] + drawn[0][1] * drawn[1]
)


@settings(max_examples=80)
@given(pieces | repeated | st.text() | nested)
def test_any_text_is_a_template_or_a_complaint(text: str) -> None:
    began = process_time()
    loaded = load({"main.liquid": text.encode("utf-8", "surrogatepass")})
    told, main = complaints(loaded), loaded.catalog.templates.get("main.liquid")
    assert ("error[T" in told) == (main is None)
    if main is not None:
        with suppress(RenderError):
            main.render(INPUTS)
    assert process_time() - began < SECONDS
