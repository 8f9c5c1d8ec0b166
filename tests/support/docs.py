"""Examples of the docs, for tests that run them."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def example(page: str, heading: str, language: str, number: int = 0) -> str:
    """Return a code block below a heading of the second rank; ``number`` counts those of its language from 0."""
    text = (DOCS / page).read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return found[number]
