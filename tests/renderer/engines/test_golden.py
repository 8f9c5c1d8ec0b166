"""Templates get the answers of golden-liquid wherever python-liquid gives them, and where it should."""

import re

import pytest
from liquid import DictLoader, Environment
from liquid.exceptions import LiquidError
from markupsafe import escape

from tessera.renderer.engines.base import RenderError
from tests.renderer.engines.golden import MISSING, Case, golden
from tests.renderer.engines.loading import load

REFUSALS = (
    (r"\r", "files are read with their line ends as newlines"),
    (r"\| date: [^|}]*,", "`date` takes a locale and a zone after its format"),
    (r"\b(now|today)\W* \| date", "nothing reads a clock"),
    (r"\| (safe|script_tag|escapejs)\b", "markup of data cannot be had"),
)
"""What we answer otherwise on purpose, by what a template asks for, with the reason."""


def python_liquid(case: Case) -> str | None:
    try:
        environment = Environment(loader=DictLoader(dict(case.partials)))
        return environment.from_string(case.template).render(**case.inputs)
    except LiquidError:
        return None


def ours(case: Case) -> str | None:
    main = load(case.files).catalog.templates.get("main.liquid")
    try:
        return main.render(case.inputs) if main else None
    except RenderError:
        return None


def right(case: Case, written: str | None) -> bool:
    """Whether that is the answer, as it is or escaped: a template's own text stays, and all else is escaped."""
    if written is None or not case.results:
        return written is None and not case.results
    return written in {text for result in case.results for text in (result, str(escape(result)))}


def refused(case: Case) -> bool:
    return any(re.search(pattern, case.template) for pattern, _ in REFUSALS)


@pytest.fixture(scope="module")
def answers() -> list[tuple[Case, bool, bool]]:
    """Each case, with whether we answer it right and whether python-liquid does."""
    if not golden():
        pytest.skip(MISSING)
    return [(case, right(case, ours(case)), right(case, python_liquid(case))) for case in golden()]


def test_golden_liquid_is_answered_wherever_python_liquid_does(answers: list[tuple[Case, bool, bool]]) -> None:
    wrong = [case for case, we, they in answers if they and not we]
    assert [case.name for case in wrong if not refused(case)] == []
    assert len(wrong) < 10


def test_mends_answer_golden_liquid_where_python_liquid_does_not(answers: list[tuple[Case, bool, bool]]) -> None:
    mended = {case.name for case, we, they in answers if we and not they}
    assert mended >= {
        "blank and empty, undefined is equal to blank",
        "blank and empty, false is equal to blank",
    }
