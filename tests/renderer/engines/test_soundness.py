"""Demands are sound: whatever a render reads is demanded, and with what is demanded alone it writes the same.

Random templates, random data, both languages; and the cases of golden-liquid where they are at hand.
"""

from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.renderer.core.paths import EACH
from tessera.renderer.core.paths import Path as InputPath
from tessera.renderer.core.quotients import Uses
from tessera.renderer.engines.base import RenderError, Template
from tests.renderer.engines.golden import MISSING, golden
from tests.renderer.engines.jinja_grammar import JinjaGrammar
from tests.renderer.engines.liquid_grammar import LiquidGrammar, data
from tests.renderer.engines.loading import load
from tests.renderer.engines.watched import covered, project_inputs, watched

SEEDS = st.integers(0, 2**32)


def written(template: Template, inputs: Mapping[str, object]) -> str | None:
    """Return what a template writes, None where it fails."""
    try:
        return template.render(inputs)
    except RenderError:
        return None


def check(template: Template, inputs: Mapping[str, object]) -> None:
    reads: set[InputPath] = set()
    full = written(template, inputs)
    watching = {name: watched(value, reads.add, (name,)) for name, value in inputs.items()}
    assert written(template, watching) == full
    assert [read for read in sorted(reads) if not covered(read, template.demands)] == []
    assert written(template, project_inputs(inputs, template.demands)) == full
    assert written(template, stand_ins(inputs, template)) == full


def stand_ins(inputs: Mapping[str, object], template: Template) -> dict[str, object]:
    """Return inputs with whatever the template only tests replaced by what stands for it, in elements of lists too."""
    uses = Uses.of(template.demands, template.tests)
    of_item = uses.at(("items", EACH))
    kept = uses.stand_in(inputs)
    assert isinstance(kept, dict)
    if isinstance(kept.get("items"), list):
        kept["items"] = [of_item.stand_in(element) for element in kept["items"]]
    return kept


@settings(max_examples=60)
@given(SEEDS)
def test_demands_of_liquid_are_sound(seed: int) -> None:
    random = Random(seed)
    loaded = load(LiquidGrammar(random).templates())
    main = loaded.catalog.templates.get("main.liquid")
    for _ in range(6 if main else 0):
        assert main is not None
        check(main, data(random))


@settings(max_examples=40)
@given(SEEDS)
def test_demands_of_jinja_are_sound(seed: int) -> None:
    random = Random(seed)
    loaded = load(JinjaGrammar(random).templates())
    main = loaded.catalog.templates.get("main.jinja")
    for _ in range(6 if main else 0):
        assert main is not None
        check(main, data(random))


COUNTEREXAMPLES = [
    # What the engines' own analyses get wrong.
    ("liquid", "{% if a.x %}{% assign b = 1 %}{% endif %}{{ b.y }}", {}),
    ("liquid", "{% include 'p' %}{% assign v = b %}{% include 'p' %}", {"p": "{{ v.x }}"}),
    ("liquid", "{% render 'p' with a as v %}{% render 'p' with b as v %}", {"p": "{{ v.x }}"}),
    ("jinja", "{% if a.x %}{% set b = 1 %}{% endif %}{{ b.y }}", {}),
    ("jinja", "{% include 'p' %}", {"p": "{{ a.x }}{% for v in b.list %}{{ v.x }}{% endfor %}"}),
    # What random templates found while this was built.
    ("liquid", "{% for i in a %}{{ i[1] }}{% endfor %}", {}),
    ("liquid", "{% for i in b %}{% for j in i %}{{ j[0].x }}{% endfor %}{% endfor %}", {}),
    ("liquid", "{{ b | reverse | size }}{{ b | map: 'x' | map: 'title' }}", {}),
    ("liquid", "{{ b | has: 'x', a.x }}", {}),
    ("liquid", "{% extends 'p' %}{% block m %}{% assign a = 1 %}{{ block.super }}{% endblock %}",
     {"p": "{% block m %}{{ a.x }}{% endblock %}"}),
    ("jinja", "{% filter d([a, v.x], true) | first %}{% endfilter %}", {}),
    ("jinja", "{% from 'p' import m, v with context %}{{ m() }}", {"p": "{% macro m(w=v.x) %}{{ w }}{% endmacro %}"}),
]  # fmt: skip

DATA: list[dict[str, object]] = [
    {"a": {"x": 1, "y": 2}, "b": {"x": "q", "y": "r", "list": [{"x": 1}, {"x": 2}]}, "v": {"x": "v"}},
    {"a": {"x": None}, "b": [[{"x": 1, "title": "t"}, {"x": [{"title": "u"}]}], {"x": {"title": "w"}}], "v": {"x": 1}},
    {"a": [{"x": {"title": 1}}], "b": [{}, {"x": [1, 2]}], "v": []},
    {},
]


@pytest.mark.parametrize(("suffix", "text", "partials"), COUNTEREXAMPLES)
def test_known_counterexamples_are_covered(suffix: str, text: str, partials: dict[str, str]) -> None:
    texts = {f"{name}.{suffix}": partial for name, partial in partials.items()}
    main = load({**texts, f"main.{suffix}": text}).catalog.templates[f"main.{suffix}"]
    for inputs in DATA:
        check(main, inputs)


@pytest.mark.skipif(not golden(), reason=MISSING)
def test_demands_of_golden_liquid_are_sound() -> None:
    checked = 0
    for case in golden():
        main = load(case.files).catalog.templates.get("main.liquid")
        if main is not None:
            check(main, case.inputs)
            checked += 1
    assert checked > 500
