# ruff: noqa: E501 (a template in one line is read more easily than a broken one)
"""Compiled Liquid writes and refuses what python-liquid does, and no template puts code into what is compiled."""

import re
import traceback
from collections.abc import Mapping
from random import Random
from types import BuiltinFunctionType, CodeType

import markupsafe
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liquid.builtin.tags.if_tag import IfNode
from markupsafe import Markup

from tessera.renderer.engines import escaping
from tessera.renderer.engines.base import Limits, RenderError, SyntaxFault
from tessera.renderer.engines.liquid.compiler.rendering import CompiledTemplate
from tessera.renderer.engines.liquid.compiler.units import Units
from tessera.renderer.engines.liquid.environment import LiquidEnvironment, render_liquid
from tessera.renderer.engines.references import Resolver
from tests.renderer.engines.golden import MISSING, golden
from tests.renderer.engines.liquid_grammar import LiquidGrammar, data

ENOUGH = Limits(steps=10_000_000, render_ms=60_000)
SEEDS = st.integers(0, 2**32)


def compiled(texts: Mapping[str, str], limits: Limits = ENOUGH) -> Units:
    environment = LiquidEnvironment(limits, Resolver(".liquid", frozenset(texts)))
    for name, text in texts.items():
        environment.add(name, text)
    return Units(environment)


def outcome(units: Units, interpreted: bool, inputs: Mapping[str, object]) -> str:
    """Return what is written, or the fault with its template, line and column."""
    try:
        if interpreted:
            return render_liquid(units.environment.trees["main.liquid"], inputs)
        return CompiledTemplate(units, "main.liquid").render(inputs)
    except RenderError as error:
        # The name of a loop is a kind of text of python-liquid's own; that a text was found is what authors are told.
        return f"{type(error).__name__} {error}".replace("found Identifier", "found str")


def same(texts: Mapping[str, str], *inputs: Mapping[str, object]) -> None:
    try:
        units = compiled(texts)
    except SyntaxFault:
        return
    for each in inputs:
        assert outcome(units, False, each) == outcome(units, True, each)


@settings(max_examples=100)
@given(SEEDS)
def test_compiled_templates_write_and_refuse_the_same(seed: int) -> None:
    random = Random(seed)
    same(LiquidGrammar(random).templates(), *[data(random) for _ in range(3)])


FOUND = [
    # What random templates found, or would find late.
    ("!{% if true %}\n\n{% capture v %}\n{% endcapture %}\n{% endif %}!", {}),
    ("{% for v in items %}{% for w in items %}{{ forloop.parentloop.index }}{% endfor %}{% endfor %}", {}),
    ("{% for v in items %}{% render 'p', w: v %}{% endfor %}", {"p": "{{ w.x }}{% cycle 1, 2 %}{{ v.x }}"}),
    ("{% render 'p' for items as v %}", {"p": "{{ forloop.rindex }}{{ w }}{% assign w = v.x %}{% cycle 1, 2 %}"}),
    ("{% for a in items %}{% include 'p' %}{{ a }}{% endfor %}{{ a }}", {"p": "{% assign a = 1 %}{{ a.x }}"}),
    ("{% include 'p' for items as v, w: a.x %}{{ w }}", {"p": "{{ v.x }}{{ w }}{% assign w = v.y %}"}),
    ("{% for v in items %}{{ v.x }}{% include 'p' %}-{% endfor %}", {"p": "{% if v.y %}{% break %}{% endif %}"}),
    ("{% for v in items %}{% render 'p' %}{% endfor %}", {"p": "\n {% break %}"}),
    ("{% for v in items %}{% render 'p' %}{% endfor %}", {"p": "{% include 'q' %}", "q": "{% continue %}"}),
    ("x\n  {% include 'p' %}", {"p": "{% if a %}{% continue %}{% endif %}"}),
    ("{% for v in items %}{% case v.x %}{% when 1, 1 %}{% break %}{% endcase %}{{ v.x }}{% endfor %}", {}),
    ("{% for v in items %}{% capture w %}{{ v.x }}{% break %}{% endcapture %}{% endfor %}[{{ w }}]", {}),
    ("{% for v in items limit: 1 %}{{ v.x }}{% endfor %}{% for v in items offset: continue %}{{ v.x }}{% endfor %}", {}),
    ("{% for forloop in items %}{{ forloop.x }}{{ forloop.index }}{% endfor %}", {}),
    ("{% for v in items limit: 'q' %}{% endfor %}", {}),
    ("{% increment n %}{{ n }}{% assign n = 5 %}{% decrement n %}{{ n }}", {}),
    ("{% assign a = a %}{% increment a %}{{ a }}", {}),
    ("{{ partial }}{% render 'p' %}{% include 'p', partial: 3 %}", {"p": "{{ partial }}"}),
    ("{% render 'p', v: 1 %}", {"p": "{% render 'q' %}{{ v }}", "q": "[{{ v }}]"}),
    ("{% extends 'p' %}{% block m %}{% include 'q' %}{% endblock %}", {"p": "{% block m %}{% endblock %}", "q": "{{ s }}"}),
    ("{% assign n = 'q' %}{% for v in items %}{% include n %}{% endfor %}{{ w }}", {"q": "{{ v.x }}{% assign w = v.x %}"}),
    ("{{ a | append: 'x' | plus: 1, 2 }}", {}),
    ("\n{% if a.x < 'x' %}{% endif %}", {}),
    ("\n{{ s | append: 1, 2 }}", {}),
    ("{{ a[a] }}{{ [s] }}{{ a[s.x].y }}{{ s.size }}{{ items.size }}{{ items.first.x }}{{ items[-1].x }}{{ items[9] }}", {}),
    (
        "{% for i in (1..2) %}{{ v }}{% include 'p', v: 1 %}{% endfor %}",
        {"p": "{% assign v = 'set' %}{% if i %}{% continue %}{% endif %}"},
    ),
]  # fmt: skip

INPUTS: list[dict[str, object]] = [
    {"a": {"x": 1, "y": {"z": 2}}, "s": "<x>", "items": [{"x": 1, "y": None}, {"x": 2, "y": 3}, {"x": 1}]},
    {"a": None, "s": Markup("<b>"), "items": ({"x": 1}, {"x": 2})},
    {"a": {"size": 9}, "s": True, "items": {"x": 1}, "n": 4},
    {"a": [1, [2]], "s": 1.5, "items": "text"},
    {},
]


@pytest.mark.parametrize(("text", "partials"), FOUND)
def test_known_differences_are_gone(text: str, partials: dict[str, str]) -> None:
    same({"main.liquid": text, **{f"{name}.liquid": each for name, each in partials.items()}}, *INPUTS)


def test_a_tree_of_one_block_is_compiled_too() -> None:
    """Parts of a template that are cached by themselves are trees of one block."""
    units = compiled({"main.liquid": "{% if true %}<p>{{ a }}</p>{% endif %}"})
    trees = units.environment.trees
    (condition,) = trees["main.liquid"].nodes
    assert isinstance(condition, IfNode)
    trees["main.liquid"] = units.environment.template_class(units.environment, [condition.consequence])
    again = Units(units.environment)
    assert CompiledTemplate(again, "main.liquid").render({"a": "&"}) == "<p>&amp;</p>"
    assert [code for code in again.codes if "interpret" in code.co_names] == []


@pytest.mark.skipif(not golden(), reason=MISSING)
def test_the_cases_of_golden_liquid_come_out_the_same() -> None:
    for case in golden():
        same(case.files, case.inputs)


HOSTILE_NAMES = ("v1", "k0", "run", "append", "meter", "render", "member", "Undefined", "None", "lambda", "def", "__import__",
                 "type", "inputs", "parts", "a-b", "é", "__builtins__", "escape_text", "self", "return")  # fmt: skip
HOSTILE_TEXTS = (
    "{v1}",
    "{v1!r:>9}",
    "{{",
    "\\",
    "\\'",
    "\n",
    "');import os#",
    '"""',
    "%s",
    "\0",
    "\ud800",
    "{0}",
    "$",
    "<b>",
)
VOCABULARY = re.compile(
    r"v\d+d?|k\d+|run|inputs|meter|parts|append|left|look|spend|get|join|wrote|room|captured|type|str|dict|list|int|len"
    r"|member|Undefined|escape_text|enumerate|iter|isinstance|sum|range|interpret|begin|isolated|context|locals|loops|pop"
    r"|scope|increment|decrement|ifchanged|render"
)


class HostileGrammar(LiquidGrammar):
    """The same templates with names and texts that mean something to Python."""

    def path(self) -> str:
        name = self.choice(*HOSTILE_NAMES)
        return self.choice(name, f"{name}.{self.choice(*HOSTILE_NAMES)}", f"{name}[{self.text()}]")

    def primitive(self) -> str:
        return self.choice(self.path(), self.text(), "1", "nil")

    def text(self) -> str:
        text = self.choice(*HOSTILE_TEXTS)
        return f'"{text}"' if "'" in text else f"'{text}'"

    def tag(self, depth: int) -> str:
        name = self.choice(*HOSTILE_NAMES)
        return self.choice(
            super().tag(depth),
            self.choice(*HOSTILE_TEXTS).replace("{{", "{"),
            f"{{% assign {name} = {self.primitive()} %}}",
            f"{{% render 'p2', {name}: {self.primitive()} %}}",
            f"{{% for {name} in {self.path()} %}}{{{{ {name} }}}}{{% endfor %}}",
            f"{{{{ {self.path()} | default: {self.text()}, {name}: 1 }}}}",
        )


@settings(max_examples=60)
@given(SEEDS)
def test_no_name_or_text_of_a_template_becomes_code(seed: int) -> None:
    """Whatever a template says, the compiled code knows generated names and our own ones only."""
    random = Random(seed)
    try:
        units = compiled(HostileGrammar(random).templates())
    except SyntaxFault:
        return
    inputs = {name: random.choice((name, {"v1": 1}, ["x"], None)) for name in HOSTILE_NAMES}
    assert outcome(units, False, inputs) == outcome(units, True, inputs)
    for code in units.codes:
        assert [name for name in names_of(code) if not VOCABULARY.fullmatch(name)] == []


def names_of(code: CodeType) -> set[str]:
    return {*code.co_names, *code.co_varnames, *code.co_freevars, *code.co_cellvars}


def test_a_traceback_shows_the_lines_of_the_template() -> None:
    units = compiled(
        {"main.liquid": "<p>\n{% render 'card', n: a %}", "card.liquid": "\n\n <b>{{ n | divided_by: 0 }}</b>"}
    )
    with pytest.raises(RenderError) as raised:
        CompiledTemplate(units, "main.liquid").render({"a": 1})
    written = "".join(traceback.format_exception(raised.value))
    assert "File \"main.liquid\", line 2, in render\n    {% render 'card', n: a %}" in written
    assert 'File "card.liquid", line 3, in render\n    <b>{{ n | divided_by: 0 }}</b>' in written
    assert str(raised.value) == "card.liquid:3:12: divided_by: can't divide by 0"


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in b %}" * 25 + "x" + "{% endfor %}" * 25,
        "{% if a %}" + "{% elsif a == 1 %}y" * 1000 + "{% endif %}",
        "{{ a" + ".a" * 3000 + " }}",
        "{% if " + "a and " * 200 + "a %}x{% endif %}",
        "{% case a %}" + "{% when b %}x" * 500 + "{% endcase %}",
    ],
)
def test_what_python_could_not_compile_is_rendered_all_the_same(text: str) -> None:
    assert outcome(compiled({"main.liquid": text}), False, {"b": [1]}) in ("x", "", "x" * 500)


def test_one_render_leaves_nothing_for_the_next() -> None:
    units = compiled(
        {"main.liquid": "{{ a }}{% assign a = 'x' %}{% cycle 1, 2 %}{% increment n %}{% macro m %}{% endmacro %}"}
    )
    main = CompiledTemplate(units, "main.liquid")
    assert [main.render({"a": "<"}), main.render({})] == ["&lt;10", "10"]


@given(st.text())
def test_escaping_is_what_markupsafe_does(text: str) -> None:
    assert escaping.escape_text(text) == str(markupsafe.escape(text))
    assert type(escaping.escape_text(text)) is str


def test_escaping_is_the_fast_one_where_markupsafe_has_it() -> None:
    """A new version of markupsafe without that name would be slow, so somebody should know."""
    assert isinstance(escaping.escape_text, BuiltinFunctionType)
