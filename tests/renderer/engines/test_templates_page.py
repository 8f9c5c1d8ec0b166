"""docs/templates.md is a tested contract: its examples write what stands beside them, and nothing is left out."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tessera.renderer.core.layout import fill
from tessera.renderer.engines import catalog
from tessera.renderer.engines.base import Limits, Template
from tessera.renderer.engines.filters import FILTERS
from tessera.renderer.engines.jinja.filters import jinja_filters
from tessera.renderer.engines.liquid.filters import liquid_filters
from tests.renderer.engines.loading import template

PAGE = (Path(__file__).parents[3] / "docs" / "templates.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```(liquid|jinja)\n(.*?)```\n\n```html\n(.*?)```", PAGE, re.DOTALL)

INPUTS = {
    "locale": "en",
    "visitor": {"first_name": "Ann <3", "last_purchase_at": datetime(2026, 3, 1, 23, 30, tzinfo=UTC)},
    "cart": {"count": 2},
    "now": {"hour": datetime(2026, 3, 5, 9, tzinfo=UTC), "day": datetime(2026, 3, 5, tzinfo=ZoneInfo("Europe/Berlin"))},
    "item": {
        "title": "Tent & pegs",
        "price": {"amount": 19900, "currency": "EUR"},
        "image": "/img/tent.jpg?v=2",
        "link": "JavaScript:alert(1)",
        "ends_at": datetime(2026, 12, 24, tzinfo=UTC),
    },
    "items": [
        {"title": "Tent & pegs", "sku": "T-1", "price": {"amount": 19900, "currency": "EUR"}},
        {"title": "Stove", "sku": "S-2", "price": {"amount": 4950, "currency": "EUR"}},
    ],
}


def shown(page: Template) -> str:
    """Return what visitors see of a template: with the fragments in it that are nested there."""
    nested = {name: shown(each).encode() for name, each in page.nested}
    return fill(page.render(INPUTS).encode(), nested).decode()


@pytest.mark.parametrize(("suffix", "text", "html"), EXAMPLES)
def test_an_example_writes_what_stands_beside_it(suffix: str, text: str, html: str) -> None:
    assert shown(template(text, suffix)).strip().replace("\xa0", " ") == html.strip()


def test_every_example_has_its_output_beside_it() -> None:
    assert len(EXAMPLES) == len(re.findall(r"```(?:liquid|jinja)\n", PAGE)) > 4


@pytest.mark.parametrize("name", [*FILTERS, "t"])
def test_every_filter_of_tessera_is_described_and_is_in_both_languages(name: str) -> None:
    assert re.search(rf"^\| `{name}(\(.*\))?` \|", PAGE, re.MULTILINE)
    assert name in liquid_filters()
    assert name in jinja_filters()


@pytest.mark.parametrize("code", catalog.CODES)
def test_every_code_of_a_complaint_about_templates_is_documented(code: str) -> None:
    assert f"| `{code}` | {catalog.CODES[code]} |" in PAGE


@pytest.mark.parametrize("limit", [f"{getattr(Limits(), name):,}" for name in Limits.__dataclass_fields__])
def test_every_limit_is_documented_with_its_default(limit: str) -> None:
    assert re.search(rf"\| {limit}( bytes| ms)? \|", PAGE)
