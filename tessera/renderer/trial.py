"""Templates tried out before they serve anyone: compiled, and rendered with made-up inputs, where it can do no harm."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tessera.renderer.confined import At, Bounds, Killed, confined
from tessera.renderer.core.declared import Declared
from tessera.renderer.core.inputs import Gathered, Items, plain, template_form
from tessera.renderer.core.samples import sample
from tessera.renderer.engines.base import Limits, RenderError
from tessera.renderer.engines.catalog import load_catalog
from tessera.renderer.plans import OutcomePlan
from tessera.renderer.site import Planner
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.facts import LOCALE, Fact, Value
from tessera.rules.source import Span

CODES: Mapping[str, str] = {
    "S301": "To compile or to render a template takes so much time or memory that its trial was ended.",
    "S302": "A template fails whatever it is handed, so it would never show.",
    "S303": "A template fails with some made-up inputs, and could with a visitor's.",
}

SAMPLE_ITEMS = 24
ROOT = "templates/"


@dataclass(frozen=True, slots=True)
class Failure:
    """Where and how a template failed, and what it was handed."""

    message: str
    template: str
    line: int
    column: int
    handed: str


@dataclass(frozen=True, slots=True)
class Trial:
    """Tries templates in a process of its own. Locales are those of the site, ``now`` is its moment."""

    bounds: Bounds
    limits: Limits
    locale: str
    now: datetime

    def compile(self, folder: Path) -> Mapping[str, Diagnostic]:
        """Compile all templates below a folder; return the complaints about those at which that had to be ended."""
        refused: dict[str, Diagnostic] = {}
        while True:
            try:
                confined(lambda at: load_catalog(folder, self.limits, refused=refused, at=at) and None, self.bounds)
            except Killed as killed:
                if killed.at in refused or not killed.at:
                    raise
                refused[killed.at] = _killed(killed, "compiling")
            else:
                return refused

    def render(self, planner: Planner) -> tuple[Diagnostic, ...]:
        """Render whatever the site may show, with nothing known and with everything known; return the complaints."""
        plans: dict[str, list[OutcomePlan]] = {}
        for plan in planner.shown():
            if plan.template is not None:
                plans.setdefault(plan.template.name, []).append(plan)
        found: list[Diagnostic] = []
        while True:
            try:
                found += confined(lambda at: self._complaints(plans, planner, at), self.bounds)
            except Killed as killed:
                if killed.at not in plans:
                    raise
                del plans[killed.at]
                found.append(_killed(killed, "rendering"))
            else:
                return tuple(found)

    def _complaints(self, plans: Mapping[str, list[OutcomePlan]], planner: Planner, at: At) -> list[Diagnostic]:
        found: dict[tuple[str, int, int, str], Diagnostic] = {}
        for name, uses in plans.items():
            at(name)
            tries = [self._try(plan, planner.declared, known=known) for plan in uses for known in (False, True)]
            failures = [failure for failure in tries if failure is not None]
            for failure in failures:
                place = (failure.template, failure.line, failure.column, failure.message)
                always = len(failures) == len(tries)
                found.setdefault(place, _failed(failure, always=always))
        return list(found.values())

    def _try(self, plan: OutcomePlan, declared: Declared, *, known: bool) -> Failure | None:
        """Render with everything known, or with nothing but what always is."""
        assert plan.template is not None
        facts: dict[str, Value] = dict(declared.defaults)
        if known:
            told = {**declared.facts, **{fact.name: fact for fact in plan.inputs.facts}}
            facts |= {name: sample(fact, self.now) for name, fact in told.items()} | {LOCALE: self.locale}
        for name, derive in plan.derived:
            value = derive(facts, self.now).value
            if value is not None:
                facts[name] = value
        fields = {name: self._field(fact) for name, fact in declared.item_fields.items()}
        items = Items([fields] * SAMPLE_ITEMS if known else ())
        cta = plan.cta.resolve(facts, self.locale) if plan.cta is not None else None
        try:
            plan.template.render(plan.inputs.inputs(Gathered(facts, cta, items, Items(items.all[:1]))))
        except RenderError as error:
            handed = "with everything known" if known else "with nothing known"
            return Failure(error.message, error.template, error.line, error.column, handed)
        return None

    def _field(self, fact: Fact) -> object:
        return template_form(fact, plain(sample(fact, self.now)))


def _failed(failure: Failure, *, always: bool) -> Diagnostic:
    span = Span(ROOT + failure.template, failure.line, failure.column, failure.column + 1)
    if always:
        return Diagnostic("S302", "error", failure.message, span, "it fails whatever it is handed")
    return Diagnostic("S303", "warning", failure.message, span, f"it fails {failure.handed}")


def _killed(killed: Killed, doing: str) -> Diagnostic:
    return Diagnostic("S301", "error", f"{doing} it takes more than {killed.bound}", Span(ROOT + killed.at, 1, 1, 1))
