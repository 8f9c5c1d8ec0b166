"""However a catalogue renders Liquid, it writes what python-liquid writes, and fails as it fails."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.renderer.engines.differential import (
    Render,
    Texts,
    catalogued,
    cut_down,
    differing,
    interpreted,
    outcome,
    search,
)
from tests.renderer.engines.golden import MISSING, golden


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_random_templates_render_as_python_liquid_renders_them(seed: int) -> None:
    assert search(seed, interpreted, catalogued) is None


@pytest.mark.skipif(not golden(), reason=MISSING)
def test_golden_liquid_renders_as_python_liquid_renders_it() -> None:
    found = [
        differing(case.files, [case.inputs], interpreted, catalogued) for case in golden() if "\r" not in case.template
    ]
    assert [str(each) for each in found if each] == []


def shouting(texts: Texts) -> Render | None:
    render = interpreted(texts)
    return render and (lambda inputs: render(inputs).upper())


def test_a_difference_is_found_and_cut_down() -> None:
    texts = {"main.liquid": "3{% if a %}{{ b }}{% endif %}{% render 'p' %}", "p.liquid": "1{{ a | append: 'x' }}2"}
    found = differing(texts, [{"a": "", "b": 1, "c": 2}], interpreted, shouting)
    assert found is not None
    less = cut_down(found, interpreted, shouting)
    assert less.texts == {"main.liquid": "{% render 'p' %}", "p.liquid": "{{ a | append: 'x' }}"}
    assert (less.inputs, less.outcomes) == ({}, ("writes 'x'", "writes 'X'"))
    assert any(search(seed, interpreted, shouting) is not None for seed in range(20))


def test_faults_are_compared_by_message_template_and_line() -> None:
    texts = {"main.liquid": "{% render 'p' %}", "p.liquid": "\n\n{{ 1 | divided_by: 0 }}"}
    render = interpreted(texts)
    assert render is not None
    assert outcome(render, {}) == "fails with p.liquid:3: divided_by: can't divide by 0"
