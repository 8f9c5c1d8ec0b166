"""A site's folder → the site, checked as a whole and planned, or every complaint about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from tessera.renderer.confined import Bounds
from tessera.renderer.core.inputs import canonical, digest
from tessera.renderer.crosscheck import cross_check, directives_written, values_misplaced
from tessera.renderer.engines.base import Limits
from tessera.renderer.engines.catalog import Catalog, load_catalog
from tessera.renderer.engines.messages import untranslated
from tessera.renderer.engines.po_files import FOLDER as LOCALES
from tessera.renderer.engines.po_files import load_translations
from tessera.renderer.plans import PagePlan
from tessera.renderer.site import Planner, Site
from tessera.renderer.trial import Trial
from tessera.rules.assemble import Remembered
from tessera.rules.diagnostics import Diagnostic, in_order, render_text
from tessera.rules.load import load_ruleset, uncollected
from tessera.rules.ruleset import Page, Ruleset
from tessera.rules.source import Source

TEMPLATES = "templates"
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Report:
    """Every complaint about a site, with the files that complaints are about."""

    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]

    def text(self, *, color: bool = False) -> str:
        """Return the complaints for people."""
        return render_text(self.diagnostics, self.sources, color=color)


@dataclass(frozen=True, slots=True)
class CheckedSite(Report):
    """What checking gave: the rules, None where there are errors in rules or templates, and the templates."""

    ruleset: Ruleset | None
    catalog: Catalog


@dataclass(frozen=True, slots=True)
class LoadedSite(Report):
    """What loading gave: the site, None where there are errors."""

    site: Site | None


def load_site(folder: Path, locales: Sequence[str], limits: Limits, zone: ZoneInfo = UTC) -> LoadedSite:
    """Read and check a site's rules and templates, and plan its pages."""
    return SiteLoader(folder, locales, limits, zone).load()


class SiteLoader:
    """Loads a site, once or again and again: files of pages that have not changed are neither read nor planned anew."""

    def __init__(self, folder: Path, locales: Sequence[str], limits: Limits, zone: ZoneInfo = UTC) -> None:
        """``zone`` is the one that `now` of templates is in."""
        self._folder = folder
        self._zone = zone
        self._locales = tuple(locales)
        self._limits = limits
        self._rules = Remembered()
        self._basis: tuple[Ruleset, Sequence[tuple[str, str]]] | None = None
        self._plans: dict[str, tuple[Page, PagePlan]] = {}

    def prove(self, bounds: Bounds, now: datetime) -> CheckedSite:
        """Check, and try all templates out in a process of its own, so that none can do harm here."""
        trial = Trial(bounds, self._limits, self._locales[0], now)
        checked = self.check(trial.compile(self._folder / TEMPLATES))
        if checked.ruleset is None:
            return checked
        failures = trial.render(Planner(checked.ruleset, checked.catalog.templates, self._locales, self._zone))
        broken = any(each.severity == "error" for each in failures)
        found = tuple(in_order([*checked.diagnostics, *failures]))
        return replace(checked, diagnostics=found, ruleset=None if broken else checked.ruleset)

    def check(self, refused: Mapping[str, Diagnostic] = MappingProxyType({})) -> CheckedSite:
        """Read rules and templates, but for templates that were refused, and check them against each other."""
        rules = load_ruleset(self._folder / "rules", self._folder, self._rules)
        translated = load_translations(self._folder / LOCALES)
        templates = load_catalog(self._folder / TEMPLATES, self._limits, translated.translations, refused)
        known = templates.catalog.templates
        diagnostics = [*rules.diagnostics, *translated.diagnostics, *templates.diagnostics]
        diagnostics += untranslated(templates.catalog.messages, translated.translations, self._locales)
        diagnostics += directives_written(templates.sources.values())
        diagnostics += values_misplaced(templates.sources.values())
        if rules.ruleset is not None:
            diagnostics += cross_check(rules.ruleset, known)
            if not any(each.severity == "error" for each in diagnostics):
                diagnostics += Planner(rules.ruleset, known, self._locales, self._zone).complaints()
        broken = any(each.severity == "error" for each in diagnostics)
        sources = {**rules.sources, **templates.sources, **translated.sources}
        return CheckedSite(tuple(in_order(diagnostics)), sources, None if broken else rules.ruleset, templates.catalog)

    def load(self) -> LoadedSite:
        """Read and check rules and templates, and plan the pages."""
        with uncollected():
            checked = self.check()
            site = None if checked.ruleset is None else self._site(checked.ruleset, checked.catalog)
        return LoadedSite(checked.diagnostics, checked.sources, site)

    def _site(self, ruleset: Ruleset, catalog: Catalog) -> Site:
        versions = sorted((template.name, template.version) for template in catalog.templates.values())
        basis = replace(ruleset, version="", pages={}), versions
        if basis != self._basis:
            self._basis = basis
            self._plans.clear()
        planner = Planner(ruleset, catalog.templates, self._locales, self._zone)
        self._plans = {name: (page, self._plan(planner, page)) for name, page in ruleset.pages.items()}
        return Site(
            self._folder,
            digest(canonical([ruleset.version, versions])).hex(),
            ruleset,
            catalog,
            planner.declared,
            self._locales,
            self._zone,
            {name: plan for name, (_, plan) in self._plans.items()},
        )

    def _plan(self, planner: Planner, page: Page) -> PagePlan:
        planned, plan = self._plans.get(page.name, (None, None))
        return plan if plan is not None and planned is page else planner.page(page)
