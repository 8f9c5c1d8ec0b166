"""Who may share an answer is computed from all that could be read for it, whatever one evaluation reads."""

from pathlib import Path
from textwrap import indent

import pytest

from tests.support.client import client_of
from tests.support.fakes import World
from tests.support.sites import load, write_site

TEMPLATES = {
    "plain.liquid": "plain",
    "name.liquid": "{{ visitor.first_name }}",
    "phone.jinja": "{% if device.type == 'mobile' %}m{% endif %}",
    "cta.jinja": "{{ cta.text }}",
    "url.jinja": "{{ cta.url }}",
    "list.liquid": "{% for item in items %}{{ item.sku }}{% endfor %}",
    "param.liquid": "{{ param.q }}",
    "nested.liquid": "{% render 'name.liquid', visitor: visitor %}",
    "home/layouts/plain.liquid": "{{ slots.one }}",
}

CASES = [
    ("{template: plain.liquid}", "", "public"),
    ("{template: param.liquid}", "", "public"),
    ("{template: phone.jinja}", "", "context"),
    ("{template: name.liquid}", "", "private"),
    ("{template: nested.liquid}", "", "private"),
    ("{template: cta.jinja, cta: plain}", "", "public"),
    ("{template: cta.jinja, cta: look}", "", "context"),
    ("{template: url.jinja, cta: look}", "", "context"),
    ("{template: plain.liquid, cta: look}", "", "public"),
    ("{template: list.liquid, items: popular}", "", "public"),
    ("{template: list.liquid, items: mine}", "", "private"),
    ("{template: plain.liquid, items: mine}", "", "public"),
    ("{template: plain.liquid}", "{name: a, when: visitor.tier == 'gold', show: nothing}", "context"),
    ("{template: plain.liquid}", "{name: a, when: visitor.first_name == 'Ann', show: nothing}", "private"),
    ("{template: plain.liquid}", "{name: a, when: param.q == 'x', show: nothing}", "public"),
    ("{template: plain.liquid}", "{name: a, when: param.q == 'x', show: {template: name.liquid}}", "private"),
    ("{template: plain.liquid}", "{name: a, when: segment.vips, show: nothing}", "context"),
    (
        "{template: plain.liquid}",
        "{name: a, rollout: {seed: s, steps: {2026-11-20: 5}}, show: nothing}",
        "context",
    ),
    ("{template: plain.liquid}", "{name: a, when: segment.named, show: nothing}", "private"),
    (
        "{template: plain.liquid}",
        "{name: a, when: param.q == 'x', split: {experiment: colours, arms: {red: {template: plain.liquid}, "
        "blue: {template: cta.jinja, cta: plain}}}}",
        "context",
    ),
]


@pytest.mark.parametrize(("default", "rule", "scope"), CASES)
async def test_the_scope_of_a_slot(tmp_path: Path, default: str, rule: str, scope: str) -> None:
    rule = rule.replace("'", '"')
    rules = "rules:\n" + indent(f"- {_block(rule)}", "      ") if rule else ""
    page = (
        "page: home\nparams: {q: {type: string}}\nlayouts: [{use: plain}]\nslots:\n"
        f"  one:\n    default: {default}\n    {rules}\n"
    )
    segments = "segments:\n  vips: {source: profile}\n  named: {when: visitor.first_name is known}\n"
    folder = write_site(tmp_path, {"home.yaml": page, "segments.yaml": segments}, TEMPLATES)
    site = load(folder)
    assert site.pages["home"].slots["one"].scope == scope
    assert site.pages["home"].scope == scope
    async with client_of(folder, World()) as client:
        for path in ("/fragments/home/one", "/pages/home"):
            caching = (await client.get(path)).headers["cache-control"]
            expected = "public, max-age=60, stale-while-revalidate=30, stale-if-error=600"
            assert caching == (expected if scope == "public" else "private, no-store")


def _block(rule: str) -> str:
    """A flow mapping as it stands; expressions with quotes need to be quoted scalars in it."""
    return rule
