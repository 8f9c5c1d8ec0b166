# ruff: noqa: E501 (each hostile template stands in one line, beside the bound that ends it)
"""Templates that would run forever or take all memory end within their bounds, also while they are loaded."""

from time import process_time

import pytest

from tessera.renderer.engines.base import Limits, RenderError
from tests.renderer.engines.loading import complaints, load, template

STEPS = "the template takes more than 50,000 steps"
SIZE = "a value would be larger than 100,000 bytes"
OUTPUT = "the output is larger than the limit"
BITS = "a number would have more than 4,096 bits"
RECURSION = "maximum recursion depth exceeded"

ITEMS = [{"x": 1, "title": "abc", "tags": ["a", "b"]}] * 24
UNTIMED = Limits(render_ms=60_000)
"""So that steps and sizes are what ends them, however busy the machine is."""

SECONDS = 2.0
"""Of the processor. Generous: each takes some tens of milliseconds."""

LIQUID = {
    "a huge range": ("{% for i in (1..1000000000) %}{{ i }}{% endfor %}", STEPS),
    "a huge empty loop": ("{% for i in (1..1000000000) %}{% endfor %}", STEPS),
    "a huge table": ("{% tablerow i in (1..1000000000) %}{% endtablerow %}", STEPS),
    "a huge range joined": ("{{ (1..1000000000) | join }}", STEPS),
    "a huge range searched": ("{% if (1..1000000000) contains 'a' %}{% endif %}", STEPS),
    "a range searched often": (
        "{% for i in (1..9000) %}{% if (1..300000) contains 'a' %}{% endif %}{% endfor %}",
        STEPS,
    ),
    "nested loops": (
        "{% for a in (1..300) %}{% for b in (1..300) %}{% for c in (1..300) %}x" + "{% endfor %}" * 3,
        STEPS,
    ),
    "300 loops in sequence": ("{% for a in (1..1000) %}x{% endfor %}" * 300, STEPS),
    "a chain of replacements": ("{% assign a = 'aaaaaaaaaa' %}" + "{% assign a = a | replace: 'a', a %}" * 12, SIZE),
    "replacing nothing": ("{% assign a = 'aaaaaaaaaa' %}" + "{% assign a = a | replace: '', a %}" * 12, SIZE),
    "appending to itself": ("{% assign a = 'aaaaaaaaaa' %}" + "{% assign a = a | append: a %}" * 60, SIZE),
    "capturing itself": (
        "{% assign a = 'aaaaaaaaaa' %}" + "{% capture a %}{{ a }}{{ a }}{% endcapture %}" * 60,
        OUTPUT,
    ),
    "squaring": ("{% assign a = 99 %}" + "{% assign a = a | times: a %}" * 60, BITS),
    "doubling a list": ("{% assign a = 'a,b' | split: ',' %}" + "{% assign a = a | concat: a %}" * 40, STEPS),
    "encoding": ("{% assign a = '<<<<<<<<<<' %}" + "{% assign a = a | base64_encode %}" * 60, SIZE),
    "much text in a loop": ("{% for i in (1..9000) %}" + "x" * 1000 + "{% endfor %}", OUTPUT),
    "comparing in a loop": ("{% for i in (1..9000) %}{% if items == items %}{% endif %}{% endfor %}", STEPS),
    "filtering in a loop": ("{% for i in (1..9000) %}{% assign b = items | where: 'x', 1 %}{% endfor %}", STEPS),
    "writing JSON in a loop": ("{% for i in (1..9000) %}{% assign b = items | json_script %}{% endfor %}", STEPS),
    "including itself by a variable": (
        "{% assign n = 'main' %}{% include n %}",
        "maximum context depth reached, possible recursive include",
    ),
}

JINJA = {
    "a tower of powers": ("{{ 9 ** (9 ** 9) }}", "a power would be too large"),
    "a negative power": ("{{ 2 ** -100000000 }}", "a power would be too large"),
    "a long text": ("{{ 'x' * 10 ** 9 }}", SIZE),
    "a long text, the other way round": ("{{ 10 ** 9 * 'x' }}", SIZE),
    "a long list": ("{{ [1] * 10 ** 9 }}", SIZE),
    "a formatted text": ("{{ '%1000000000d' % 1 }}", "texts are not formatted with `%`; write `~` between their parts"),
    "a huge range": ("{{ range(10 ** 9) | list }}", STEPS),
    "a huge range summed": ("{{ range(10 ** 9) | sum }}", STEPS),
    "a huge range searched": ("{{ 'a' in range(10 ** 9) }}", STEPS),
    "a huge loop": ("{% for i in range(10 ** 9) %}{% endfor %}", STEPS),
    "a range as arguments": ("{{ range(*range(10 ** 7)) }}", STEPS),
    "nested loops": ("{% for a in range(300) %}{% for b in range(300) %}{% for c in range(300) %}x" + "{% endfor %}" * 3, STEPS),
    "loops that skip all": ("{% for a in range(9000) %}{% for b in range(9000) if b > 9000 %}" + "{% endfor %}" * 2, STEPS),
    "a text that doubles": ("{% set n = namespace(a='aaaaaaaaaa') %}{% for i in range(99) %}{% set n.a = n.a ~ n.a %}{% endfor %}", SIZE),
    "a sum that doubles": ("{% set n = namespace(a=[1]) %}{% for i in range(99) %}{% set n.a = n.a + n.a %}{% endfor %}", SIZE),
    "a list of itself twice": ("{% set n = namespace(a=[1]) %}{% for i in range(99) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a }}", SIZE),
    "an object of itself twice": ("{% set n = namespace(a=1) %}{% for i in range(99) %}{% set n.a = dict(x=[n.a], y=[n.a]) %}{% endfor %}", STEPS),
    "arguments of themselves twice": ("{% set n = namespace(a=1) %}{% macro f() %}{% set n.a = varargs %}{% endmacro %}{% for i in range(99) %}{{ f(n.a, n.a) }}{% endfor %}", SIZE),
    "a list deep in lists": ("{% set n = namespace(a=[]) %}{% for i in range(9000) %}{% set n.a = [n.a] %}{% endfor %}", STEPS),
    "squaring": ("{% set n = namespace(a=9) %}{% for i in range(99) %}{% set n.a = n.a * n.a %}{% endfor %}", BITS),
    "a macro that calls itself twice": ("{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}", STEPS),
    "a macro without end": ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", RECURSION),
    "a loop without end": ("{% for a in [1, 2] recursive %}{{ loop([1, 2]) }}{% endfor %}", RECURSION),
    "a block in itself": ("{% block a %}{{ self.a() }}{% endblock %}", RECURSION),
    "batches filled up": ("{{ [1] | batch(10 ** 9, 'x') }}", SIZE),
    "slices filled up": ("{{ [1] | slice(10 ** 9, 'x') }}", SIZE),
    "rounding far": ("{{ 1.5 | round(10 ** 9, 'ceil') }}", "`round` takes a precision of at most 20"),
    "lists summed": ("{{ [[1]] | sum(start=[]) }}", "`sum` adds numbers only"),
    "a chain of replacements": ("{% set n = namespace(a='aaaaaaaaaa') %}{% for i in range(99) %}{% set n.a = n.a | replace('a', n.a) %}{% endfor %}", SIZE),
    "comparing in a loop": ("{% set a, b = range(9000) | list, range(9000) | list %}{% for i in range(9000) %}{{ a == b }}{% endfor %}", SIZE),
    "testing in a loop": ("{% set a = range(9000) | list %}{{ a | select('in', a) | list }}", STEPS),
    "sorting in a loop": ("{% set a = range(9000) | list %}{% for i in range(9000) %}{% set b = a | sort %}{% endfor %}", STEPS),
    "printing in a loop": ("{% for i in range(9000) %}{% set x %}{{ items }}{% endset %}{% endfor %}", STEPS),
    "much text in a macro": ("{% macro f() %}" + "x" * 1000 + "{% endmacro %}{% for i in range(9000) %}{% set a = f() %}{% endfor %}", STEPS),
    "namespaces in namespaces": ("{% set n = namespace(a=1) %}{% for i in range(60) %}{% set m = namespace(x=n.a, y=n.a) %}{% set n.a = m %}{% endfor %}{{ (n.a | string) * 99999 }}", SIZE),
}  # fmt: skip


def ends_with(suffix: str, text: str, message: str) -> None:
    began = process_time()
    with pytest.raises(RenderError) as raised:
        template(text[:65_000], suffix, UNTIMED).render({"items": ITEMS})
    assert raised.value.message.startswith(message)
    assert process_time() - began < SECONDS


@pytest.mark.parametrize("name", LIQUID)
def test_hostile_liquid_ends_within_its_bounds(name: str) -> None:
    ends_with("liquid", *LIQUID[name])


@pytest.mark.parametrize("name", JINJA)
def test_hostile_jinja_ends_within_its_bounds(name: str) -> None:
    ends_with("jinja", *JINJA[name])


@pytest.mark.parametrize(
    ("suffix", "tag"),
    [
        ("liquid", "{% include 'pN' %}"),
        ("liquid", "{% render 'pN' %}"),
        ("jinja", "{% include 'pN' %}"),
        ("jinja", "{% import 'pN' as m %}"),
    ],
)
def test_partials_that_fan_out_end_within_their_bounds(suffix: str, tag: str) -> None:
    partials = {f"p{n}": tag.replace("N", str(n + 1)) * 8 + "x" for n in range(8)}
    began = process_time()
    with pytest.raises(RenderError) as raised:
        template(tag.replace("N", "0"), suffix, UNTIMED, **partials, p8="x").render({})
    assert raised.value.message == STEPS
    assert process_time() - began < 3 * SECONDS


TO_LOAD = {
    "unclosed tags": ("{%a " * 16000, "`{%` is never closed by `%}`", "encountered unknown tag `a`"),
    "unclosed outputs": ("{{" * 30000, "`{{` is never closed by `}}`", None),
    "many raws": ("{%raw%}" * 9000, "`raw` is never ended by `endraw`", "missing end of raw directive"),
    "many comments": ("{#" * 30000, None, "missing end of comment tag"),
    "many parentheses": ("{{ " + "(" * 30000 + "1" + ")" * 30000 + " }}", "more than 40 brackets in one place", "the template nests too deeply"),
    "many brackets": ("{{ a" + "[" * 60000 + " }}", "more than 40 brackets in one place", "unexpected `}`, expected `]`"),
    "many arguments": ("{% cycle a" + ",a" * 30000 + " %}", "one tag or output is longer than 8,000 characters", None),
    "many arguments in a line": ("{% liquid\ncycle a" + ",a" * 30000 + " %}", "one tag or output is longer than 8,000 characters", None),
    "many ifs": ("{% if a %}" * 3000 + "{% endif %}" * 3000, "block nesting limit reached", "the template nests too deeply"),
    "many fors": ("{% for a in b %}" * 1500 + "{% endfor %}" * 1500, "block nesting limit reached", "the template nests too deeply"),
    "many nots": ("{{ " + "not " * 15000 + "a }}", None, "the template nests too deeply"),
    "many signs": ("{{ " + "-" * 60000 + "1 }}", None, "the template nests too deeply"),
    "many sums": ("{{ 1" + "+1" * 30000 + " }}", None, "the template nests too deeply"),
    "many parts": ("{{ a" + "~a" * 30000 + " }}", None, "the template has too many parts: move some of them into partials"),
    "many names in many branches": ("".join(f"{{% if a %}}{{% set v{n} = v{n + 1} %}}{{% endif %}}" for n in range(1200)), None, "the template has too many parts: move some of them into partials"),
    "a long number": ("{{ " + "9" * 60000 + " }}", None, "the template cannot be compiled: Exceeds the limit (4300 digits) for integer string conversion"),
    "an endless number": ("{{ 1e999999999 }}", None, "the number is too large"),
}  # fmt: skip


@pytest.mark.parametrize("name", TO_LOAD)
def test_a_hostile_file_is_reported_soon(name: str) -> None:
    text, liquid, jinja = TO_LOAD[name]
    for suffix, message in (("liquid", liquid), ("jinja", jinja)):
        if message is not None:
            began = process_time()
            found = complaints(load({f"main.{suffix}": text[:65_536]}))
            assert f"error[T103]: {message}" in found
            assert process_time() - began < 3 * SECONDS


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in items %}"
        + "".join(f"{{% assign v{n} = v{n + 1}.x | default: items.y{n} %}}" for n in range(900))
        + "{% endfor %}",
        "{% case a %}" + "{% when b %}x" * 4500 + "{% endcase %}",
        "{% liquid\n" + "echo a\n" * 8000 + "%}",
        "{{ a" + ".a" * 3900 + " }}",
    ],
)
def test_a_large_file_without_fault_loads_soon(text: str) -> None:
    began = process_time()
    assert complaints(load({"main.liquid": text})) == ""
    assert process_time() - began < 5 * SECONDS


def test_limits_can_be_set() -> None:
    loop = "{% for i in (1..100) %}xx{% endfor %}"
    for limits, message in (
        (Limits(steps=100), "the template takes more than 100 steps"),
        (Limits(output_bytes=150), OUTPUT),
    ):
        with pytest.raises(RenderError) as raised:
            template(loop, limits=limits).render({})
        assert raised.value.message == message


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("liquid", "{% for a in (1..9000) %}{% assign b = a | times: 2 %}{% endfor %}"),
        ("jinja", "{% for a in range(9000) %}{% set b = a * 2 %}{% endfor %}"),
    ],
)
def test_time_is_bounded_where_steps_are_not(suffix: str, text: str) -> None:
    limits = Limits(steps=1_000_000_000, render_ms=0.1)
    with pytest.raises(RenderError) as raised:
        template(text, suffix, limits).render({})
    assert raised.value.message == "the template takes more than 0.1 ms"


def test_output_is_counted_in_bytes() -> None:
    for suffix in ("liquid", "jinja"):
        assert template("{{ a }}", suffix, Limits(output_bytes=6)).render({"a": "äöü"}) == "äöü"
        with pytest.raises(RenderError, match=OUTPUT):
            template("{{ a }}!", suffix, Limits(output_bytes=6)).render({"a": "äöü"})
