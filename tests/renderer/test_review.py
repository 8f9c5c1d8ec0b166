"""What is told of a site as a whole, word for word: the pages of tests/diagnostics/sites beside what authors are told.

Each takes its place in a small site, with the templates and segments below.
"""

from pathlib import Path

import pytest

from tessera.renderer.engines.base import Limits
from tessera.renderer.loader import load_site
from tests.support.sites import LOCALES, write_site

FOLDER = Path(__file__).parents[1] / "diagnostics" / "sites"
FILES = sorted(FOLDER.glob("*.yaml"))
TEMPLATES = {
    "plain.liquid": "plain",
    "name.liquid": "{{ visitor.first_name }}",
    "phone.jinja": "{% if device.type == 'mobile' %}m{% endif %}",
    "offer.jinja": "{{ cta.url }}{% include 'phone.jinja' %}",
    "list.liquid": "{% for item in items %}{{ item.sku }}{% endfor %}",
    "outer.liquid": "{% render 'inner.liquid' %}",
    "inner.liquid": "inner",
    "_kept.liquid": "kept",
}
SEGMENTS = """\
    segments:
      annes: {when: visitor.first_name == "Anne"}
      loyal: {when: segment.annes}
"""
CONDITIONS = """\
    conditions:
      spends: {when: cart.value > 10.00}
      spends_much: {when: spends() and cart.value > 100.00}
"""


def told(page: str, folder: Path) -> str:
    rules = {"home.yaml": page, "segments.yaml": SEGMENTS, "conditions.yaml": CONDITIONS}
    return load_site(write_site(folder, rules, TEMPLATES), LOCALES, Limits()).text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_authors_are_told(file: Path, tmp_path: Path) -> None:
    page = file.read_text(encoding="utf-8")
    assert told(page, tmp_path) == file.with_suffix(".txt").read_text(encoding="utf-8")
