"""Known ways out of template sandboxes, from published advisories, end nowhere here."""

from datetime import UTC, datetime

import pytest

from tessera.renderer.engines.base import Limits, RenderError
from tessera.renderer.engines.jinja.environment import JinjaEnvironment
from tests.renderer.engines.loading import complaints, load, template


class Secretive(dict[str, object]):
    """An input with more than plain data to it."""

    secret = "TOP"

    def delete(self) -> str:
        raise AssertionError("a template called a method of an input")


ESCAPES = {
    "CVE-2016-10745: str.format reaches attributes": "{{ '{0.__class__.__mro__}'.format(a) }}",
    "CVE-2019-10906: str.format_map": "{{ '{a.__class__}'.format_map({'a': a}) }}",
    "GHSA-q2x7-8rv6-6q7h, CVE-2024-56326: format kept for later": "{% set f = '{0.__class__}'.format %}{{ f(a) }}",
    "GHSA-q2x7-8rv6-6q7h, CVE-2024-56326: format through a filter": "{{ ['{0.__class__}'] | map('format', a) | list }}",
    "GHSA-cpwx-vrp4-4pq7, CVE-2025-27516: format through attr": "{{ ('{0.__class__}' | attr('format'))(a) }}",
    "GHSA-cpwx-vrp4-4pq7, CVE-2025-27516: attr through map": "{{ ['{0.__class__}'] | map('attr', 'format') | list }}",
    "GHSA-h5c8-rqwp-cp95, CVE-2024-22195: keys with spaces through xmlattr": "{{ {'x TOP': 1} | xmlattr }}",
    "GHSA-h75v-3vvj-5mfj, CVE-2024-34064: keys with signs through xmlattr": "{{ {'x/TOP=': 1} | xmlattr }}",
    "the class of a text": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "the class by subscript": "{{ ''['__class__'] }}",
    "the class by attribute filters": "{{ [''] | map(attribute='__class__') | list }}",
    "the class by sorting": "{{ [a] | sort(attribute='__class__') | list | length * 'TOP' if false }}",
    "globals of a macro": "{% macro m() %}{% endmacro %}{{ m.__init__.__globals__ }}{{ m._environment }}{{ m._func }}",
    "globals of a function": "{{ range.__init__.__globals__ }}{{ range._call }}{{ dict.__class__ }}",
    "globals of a namespace": "{% set n = namespace() %}{{ n.__init__.__globals__ }}{{ n.__class__ }}",
    "the frame of a loop": "{% for i in [1] %}{{ loop.__class__ }}{{ loop._iterator.gi_frame }}{% endfor %}",
    "the environment of a module": "{% import 'm' as m %}{{ m.__class__ }}{{ m._body_stream }}{{ m.__loader__ }}",
    "the context of a block": "{% block b %}{{ self.__class__() }}{% endblock %}",
    "what is missing": "{{ missing.__class__ }}{{ missing._undefined_hint }}{{ missing._undefined_exception }}",
    "methods of inputs": "{{ a.delete() }}{{ a.secret }}{{ a['secret'] }}{{ a.get('secret') }}",
    "changes of inputs": "{{ a.update({'x': 'TOP'}) }}{{ a.clear() }}{{ b.append('TOP') }}{{ b.pop() }}",
    "random numbers": "{{ [1, 2] | random }}{{ lipsum() }}",
    "joiners and cyclers": "{{ joiner('x') }}{{ cycler('x') }}",
    "a key that is no text": "{{ a[('x', 'y')] }}{{ a[range] }}{{ b[1.5] }}{{ b['x'] }}",
}


@pytest.mark.parametrize("name", ESCAPES)
def test_a_way_out_of_jinja_ends_nowhere(name: str) -> None:
    """The template is refused when it is loaded, or fails, or writes nothing of what it was after."""
    inputs = {"a": Secretive({"x": "plain"}), "b": ["plain"]}
    loaded = load({"main.jinja": ESCAPES[name], "m.jinja": "{% macro x() %}{% endmacro %}"})
    try:
        written = (
            loaded.catalog.templates["main.jinja"].render(inputs) if loaded.catalog.templates.get("main.jinja") else ""
        )
    except RenderError:
        written = ""
    assert inputs == {"a": {"x": "plain"}, "b": ["plain"]}
    assert not any(word in written for word in ("TOP", "class", "object", "function", "0x", "jinja2", "Environment"))


def test_a_name_of_a_template_is_never_run() -> None:
    """GHSA-gmj6-6f8f-6699, CVE-2024-56201: the name of a file came to stand in an f-string of compiled code."""
    name = "{6*7}'\"{a}.jinja"
    loaded = load({name: "{% from 'm' import gone %}{{ gone() }}", "m.jinja": ""})
    with pytest.raises(RenderError) as raised:
        loaded.catalog.templates[name].render({"a": "TOP"})
    assert "{6*7}" in raised.value.message
    assert "42" not in str(raised.value)
    assert "TOP" not in str(raised.value)


def test_compiled_code_is_never_written_to_a_shared_folder() -> None:
    """CVE-2014-1402, CVE-2014-0012: compiled templates in a folder that others could write to."""
    assert JinjaEnvironment(Limits(), lambda name: name).bytecode_cache is None


def test_a_moment_gives_no_access_to_the_clock() -> None:
    """`datetime` has `now`, `today` and `utcnow` on every value."""
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    for suffix, text in (
        ("jinja", "{{ m.now }}{{ m['today'] }}{{ m.max }}"),
        ("liquid", "{{ m.now }}{{ m['today'] }}"),
    ):
        assert template(text, suffix).render({"m": moment}) == ""
    with pytest.raises(RenderError):
        template("{{ m.now() }}", "jinja").render({"m": moment})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{% autoescape false %}{{ a }}{% endautoescape %}", "escaping cannot be switched"),
        ("{{ a | safe }}", "unknown filter `safe`"),
        ("{{ a | attr('b') }}", "unknown filter `attr`"),
        ("{{ a | xmlattr }}", "unknown filter `xmlattr`"),
        ("{{ a is sameas b }}", "unknown test `sameas`"),
        ("{{ self }}", "`self` can only be called, as in `self.name()`"),
        ("{% block a %}{{ super }}{% endblock %}", "`super` can only be called, as in `super()`"),
        ("{{ 'now' | date('long') }}", "`date` reads no clock: write `now.minute`, `now.hour` or `now.day`"),
        ("{% do a %}", "encountered unknown tag `do`"),
        ("{% set ﬁ = a %}{{ fi }}", "write `fi` for `ﬁ`: the two are read as one name"),
        ("{{ dict(ﬁ=1) }}", "write `fi` for `ﬁ`: the two are read as one name"),
        ("{% from 'b' import fi as ﬁ %}", "write `fi` for `ﬁ`: the two are read as one name"),
    ],
)
def test_what_is_not_offered_is_refused_when_it_is_loaded(text: str, message: str) -> None:
    assert f": error[T103]: {message}" in complaints(load({"main.jinja": text}))


@pytest.mark.parametrize("name", ["safe", "script_tag", "stylesheet_tag", "escapejs", "json"])
def test_filters_that_liquid_does_without_are_refused_when_they_are_loaded(name: str) -> None:
    assert f": error[T103]: unknown filter `{name}`" in complaints(load({"main.liquid": f"{{{{ a | {name} }}}}"}))


def test_a_partial_cannot_lie_outside_the_folder() -> None:
    loaded = load({"main.liquid": "{% include '../secret' %}", "other.jinja": "{% include '/etc/passwd' %}"})
    assert [each.message for each in loaded.diagnostics] == [
        "there is no template `../secret`",
        "there is no template `/etc/passwd`",
    ]


def test_nothing_random_or_timed_shows_in_two_renders() -> None:
    """Addresses of objects, the clock and randomness would make a fragment differ from its cached copy."""
    text = (
        "{{ items | map('upper') }}{{ items | batch(1) }}{{ items | groupby('x') }}{% for i in items %}"
        "{{ loop.cycle(1, 2) }}{% endfor %}{% macro m() %}{% endmacro %}{{ m }}{{ (m | string) }}{{ (range | string) }}"
        "{{ (namespace(a=1) | string) }}"
    )
    page = template(text, "jinja")
    assert "0x" not in page.render({"items": ["a"]})
    assert page.render({"items": ["a"]}) == page.render({"items": ["a"]})
