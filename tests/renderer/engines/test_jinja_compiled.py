"""Compiled Jinja means what Jinja means, and takes nothing from a template into its code."""

import ast
import re
from collections.abc import Callable, Mapping
from functools import partial
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jinja2 import ChainableUndefined, DictLoader, Environment, TemplateError, pass_context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tessera.renderer.engines.base import Limits, RenderError, SyntaxFault
from tessera.renderer.engines.jinja.environment import FAULTS, JinjaEnvironment, render_jinja
from tessera.renderer.engines.jinja.filters import jinja_filters
from tessera.renderer.engines.jinja.generator import FastGenerator
from tessera.renderer.engines.jinja.runtime import MeteredContext, printed
from tessera.renderer.engines.jinja.sandbox import HardenedEnvironment
from tessera.renderer.engines.meter import Meter
from tests.renderer.engines.jinja_grammar import JinjaGrammar
from tests.renderer.engines.liquid_grammar import data
from tests.renderer.engines.loading import jinja, template

SEEDS = st.integers(0, 2**32)
LIMIT = re.compile("more than|would be larger|larger than the limit|would have more")


def texts_of(random: Random) -> dict[str, str]:
    """Return random templates. Jinja itself compiles an inclusion without context wrongly where it collects text."""
    texts = JinjaGrammar(random).templates()
    return {
        name.removesuffix(".jinja"): re.sub(r"(include '\w+') without context", r"\1", text)
        for name, text in texts.items()
    }


def rendered(environment: Environment, values: Mapping[str, object]) -> str:
    return environment.get_template("main").render(values)


def outcome(render: Callable[[], str]) -> str | None:
    """Return what a template writes, None where it fails. Addresses are not compared, and limits not of interest."""
    try:
        return re.sub("(?i)0x[0-9a-f]+", "0x", render())
    except (*FAULTS, RenderError) as error:
        assume(not LIMIT.search(str(error)))
        return None


# The generator before hardening


class Fast(ImmutableSandboxedEnvironment):
    code_generator_class = FastGenerator


class FastUnguarded(Environment):
    code_generator_class = FastGenerator


@settings(max_examples=25)
@given(SEEDS, st.booleans(), st.sampled_from([(ImmutableSandboxedEnvironment, Fast), (Environment, FastUnguarded)]))
def test_the_fast_generator_writes_what_jinja_writes(
    seed: int, escaped: bool, kinds: tuple[type[Environment], type[Environment]]
) -> None:
    random = Random(seed)
    texts = texts_of(random)
    stock, fast = (kind(loader=DictLoader(texts), autoescape=escaped) for kind in kinds)
    for _ in range(3):
        values = data(random)
        assert outcome(partial(rendered, fast, values)) == outcome(partial(rendered, stock, values))


# The generator as templates are compiled with here


class Plain(HardenedEnvironment):
    """The hardened environment, compiled by Jinja's own generator: nothing of ours stands in its code."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        class Context(MeteredContext):
            meter = Meter(Limits(steps=500_000), TemplateError)

        @pass_context
        def finalize(context: MeteredContext, value: object) -> str:
            return printed(value, context.meter)

        self.context_class = Context
        super().__init__(
            autoescape=True,
            undefined=ChainableUndefined,
            finalize=finalize,
            optimized=False,
            loader=DictLoader(dict(texts)),
        )
        self.filters = jinja_filters()
        self.globals = JinjaEnvironment(Limits(), lambda name: name).globals


@settings(max_examples=15)
@given(SEEDS)
def test_templates_write_what_jinjas_own_generator_makes_of_them(seed: int) -> None:
    random = Random(seed)
    texts = texts_of(random)
    ours, plain = JinjaEnvironment(Limits(), lambda name: name), Plain(texts)
    try:
        for name, text in texts.items():
            ours.add(name, text)
    except SyntaxFault:
        assume(False)
    for _ in range(3):
        values = data(random)
        written = outcome(partial(render_jinja, ours.template("main"), values))
        assert written == outcome(partial(rendered, plain, values))


# What gets into compiled code

HOSTILE = (
    "' \\ \\' \" \"\"\" \n \r\n {0} {a!r} {{ }} %s # \u2028 \u200d __import__('os') ');raise(1);(' "
    "environment meter seen é \U0001f600"
).split(" ")
TEXTS = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=5), max_size=4).map("".join)
NAMES = st.sampled_from(
    "a class lambda None_ context environment meter seen missing written type len resolve undefined escape_text l_0_a "
    "t_1 é 名 root blocks block_a".split()
)
OWN_NAME = re.compile(r"(l_\d+_|t_\d+$|block_)")
COMPILED = set(
    "KeyError LoopContext Macro Markup Namespace TemplateModule TemplateNotFound TemplateReference "
    "TemplateRuntimeError Undefined _block_vars _loop_vars blocks caller concat cond_expr_undefined context "
    "debug_info depth dict each environment escape_text event filtered fiter gen getattr glanced identity "
    "included_template internalcode isinstance joined len loop loop_render_func macro measured meter missing name "
    "paid parent_block parent_template reciter resolve root seen str template type undefined unused written".split()
)


def literal(text: str) -> str:
    """Write a text as a Jinja literal, in which all but quotes and backslashes stands as it is."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@settings(max_examples=60)
@given(TEXTS, TEXTS)
def test_texts_of_a_template_stay_texts(text: str, key: str) -> None:
    environment = JinjaEnvironment(Limits(), lambda name: name)
    quoted = literal(key)
    environment.add("main", f"{{{{ {literal(text)} }}}}|{{{{ a[{quoted}] }}}}|{{{{ {quoted} ~ a.get({quoted}) }}}}")
    environment.add("plain", "{{ a }}|{{ b }}|{{ c }}{{ b }}")
    read, name = (part.replace("\r\n", "\n").replace("\r", "\n") for part in (text, key))
    written = render_jinja(environment.template("main"), {"a": {name: "<v>"}})
    assert written == render_jinja(environment.template("plain"), {"a": read, "b": "<v>", "c": name})


@settings(max_examples=60)
@given(st.lists(NAMES, min_size=6, max_size=6), TEXTS)
def test_names_of_a_template_stay_its_own(names: list[str], file: str) -> None:
    a, b, c, d, e, f = names
    source = (
        f"{{{{ {a}.{b} }}}}{{% set {c} = {a} %}}"
        f"{{% for {d} in {b} %}}{{{{ loop.{e} }}}}{{{{ {d}[{c}] }}}}{{% endfor %}}"
        f"{{% macro {e}({f}, {f}x=1) %}}{{{{ {f} }}}}{{{{ kwargs }}}}{{% endmacro %}}{{{{ {e}({a}, {b}=1) }}}}"
        f"{{% block {f} %}}{{{{ {c} }}}}"
        f"{{% set {d} %}}{{{{ {a} | d({b}, boolean={c}) }}}}{{% endset %}}{{% endblock %}}"
        f"{{% import 'm' as {b} with context %}}{{% from 'm' import {c} as {d} %}}{{% include 'm' %}}"
    )
    code = JinjaEnvironment(Limits(), lambda name: name).compile(source, file, file, raw=True)
    found = list(ast.walk(ast.parse(code)))
    names_in_code = {node.id for node in found if isinstance(node, ast.Name)}
    assert {name for name in names_in_code if not OWN_NAME.match(name)} <= COMPILED
    assert sum(isinstance(node, ast.Import | ast.ImportFrom) for node in found) == 3


@pytest.mark.parametrize("name", ["class", "context", "environment", "obj", "meter", "_loop_vars"])
def test_arguments_of_any_name_reach_a_macro(name: str) -> None:
    page = "{% macro m() %}{% for k in kwargs %}{{ k }}={{ kwargs[k] }}{% endfor %}{% endmacro %}"
    assert jinja(f"{page}{{{{ m({name}=1) }}}}") == f"{name}=1"


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in range(N) %}{{ i }}{{ i }}{% endfor %}",
        "{% macro m() %}{{ 1 }}{{ 2 }}{% endmacro %}{% for i in range(N) %}{{ m() }}{% endfor %}",
        "{% for i in range(N) %}{% block b scoped %}{{ i }}{% endblock %}{% endfor %}",
        "{% for i in range(N) %}{% include 'card' %}{% endfor %}",
        "{% for i in range(N) %}{% import 'card' as m %}{% endfor %}",
        "{% for i in range(N) %}{% if i in range(99) %}{% endif %}{% endfor %}",
        "{% for i in range(N) %}{% if a[:99] %}{% endif %}{% endfor %}",
        "{% for i in range(N) %}{{ i | string | upper }}{% endfor %}",
        "{% for i in range(N) %}{% if i %}{{ 'x' }}{% else %}{{ 'y' }}{% endif %}{% endfor %}",
    ],
)
def test_steps_are_taken_wherever_work_is_done(text: str) -> None:
    inputs = {"a": [1] * 99}
    template(text.replace("N", "200"), "jinja", card="x").render(inputs)
    with pytest.raises(RenderError, match="more than 50,000 steps"):
        template(text.replace("N", "12_000"), "jinja", card="x").render(inputs)


def test_two_renders_share_nothing() -> None:
    text = "{% set x = a %}{% import 'm' as m %}{{ m.f(a) }}{{ x }}"
    page = template(text, "jinja", m="{% macro f(v) %}{{ v }}{% endmacro %}")
    assert [page.render({"a": name}) for name in "pqp"] == ["pp", "qq", "pp"]
