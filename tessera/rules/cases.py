"""Running the `tests:` of page files: each is a context, and what a slot must decide in it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from tessera.rules.evaluate import Decision, Trace, explain_slot
from tessera.rules.ruleset import DEFAULT, LAYOUT, Case, Page, Ruleset

NO_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
"""The moment of a case that gives none; a decision that then depends on the moment makes the case fail."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that came out otherwise than expected: the key of `expect`, and both sides as an author writes them."""

    key: str
    expected: str
    actual: str


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case came out: passed when nothing differs. `trace` accounts for it."""

    page: str
    case: Case
    differences: tuple[Difference, ...]
    trace: Trace

    @property
    def passed(self) -> bool:
        return not self.differences


def run_cases(ruleset: Ruleset) -> list[CaseResult]:
    """Every case of every page, in written order."""
    return [_run(ruleset, page, case) for page in ruleset.pages.values() for case in page.cases]


def _run(ruleset: Ruleset, page: Page, case: Case) -> CaseResult:
    trace = explain_slot(ruleset, page.name, case.slot, case.given, case.at or NO_MOMENT, at_bucket=case.bucket)
    if case.at is None and trace.decision.until is not None:
        return CaseResult(page.name, case, (Difference("at", "a moment in `given`, for time matters here", ""),), trace)
    actual = _actual(trace.decision, page.name, case.slot)
    differences = (Difference(key, expected, actual[key]) for key, expected in case.expect)
    return CaseResult(page.name, case, tuple(each for each in differences if each.expected != each.actual), trace)


def _actual(decision: Decision, page: str, slot: str) -> dict[str, str]:
    outcome = decision.outcome
    template = outcome.template or "nothing"
    return {
        "rule": decision.rule or DEFAULT,
        "arm": decision.assignment.arm if decision.assignment else "none",
        "template": template,
        "use": template.removeprefix(f"{page}/layouts/") if slot == LAYOUT else "none",
        "cta": outcome.cta.name if outcome.cta else "none",
        "items": outcome.items or "none",
        "item": outcome.item or "none",
    }
