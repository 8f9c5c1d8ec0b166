"""Rules against templates: what each needs of the other, checked when a site is loaded."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Set

from tessera.renderer.core.directives import DIRECTIVES
from tessera.renderer.core.inputs import CTA_FIELDS, EXPERIMENT_FIELDS
from tessera.renderer.core.now import GRANULES
from tessera.renderer.core.paths import EACH, SIZE, Path
from tessera.renderer.engines.base import Template
from tessera.renderer.engines.catalog import SUFFIXES
from tessera.renderer.engines.places import span_at
from tessera.renderer.engines.positions import Danger, dangers
from tessera.rules.diagnostics import Diagnostic, did_you_mean
from tessera.rules.facts import NOW, SEGMENT
from tessera.rules.ruleset import LAYOUT, Outcome, Page, Ruleset
from tessera.rules.source import Source, Span

NOW_ROOT = NOW.rstrip(".")

CODES: Mapping[str, str] = {
    "S101": "A rule names a template that is not in the templates folder.",
    "S102": "A template reads a name that nothing declares: not a fact, segment, parameter, item field, or CTA field.",
    "S103": "A layout places a slot that its page does not have, or a slot's template tries to place one.",
    "S104": "A template is neither shown by any rule nor taken in by another one. Those whose names begin with `_` are "
    "left alone.",
    "S105": "A template reads `now` without saying how finely.",
    "S201": "What a template reads cannot be told from its text, so the whole object is demanded; the fragment is "
    "then shared by fewer visitors than it could be.",
    "S401": "A template writes an order to a proxy: `<!--#`, `<!--esi` or `<esi:`. Fragments are served without them.",
    "S402": "A value stands in a tag without quotes around it, where it could add attributes of its own.",
    "S403": "A value stands within a script, a style or an `on…` attribute, for which escaping for HTML does nothing.",
    "S404": "A value begins an address, which could then be a `javascript:` one.",
}

_DANGERS: Mapping[Danger, tuple[str, str, str]] = {
    "unquoted": ("S402", "a value stands in a tag without quotes around it", 'write `name="{{ value }}"`'),
    "code": (
        "S403",
        "a value stands where a browser reads code",
        "hand data to scripts with `json_script`; into styles put numbers, such as `{{ value | round }}`",
    ),
    "address": (
        "S404",
        "a value begins an address, which could be a `javascript:` one",
        "let `url` be its last filter: `{{ value | url }}`",
    ),
}


def find_template(outcome: Outcome, templates: Mapping[str, Template]) -> Template | None:
    """Return the template that an outcome shows, trying each language's suffix where a layout names none."""
    name = outcome.template or ""
    return next((templates[n] for n in (name, *(name + suffix for suffix in SUFFIXES)) if n in templates), None)


def cross_check(ruleset: Ruleset, templates: Mapping[str, Template]) -> Iterator[Diagnostic]:
    """Yield every complaint about a template that a rule shows, or should show."""
    for page in ruleset.pages.values():
        declared = set(_declared(ruleset, page))
        for slot in [*page.slots.values(), *([page.layouts] if page.layouts else [])]:
            placed = page.slots if slot.name == LAYOUT else {}
            shown: dict[str, Template] = {}
            for outcome in slot.outcomes:
                if outcome.template is None:
                    continue
                template = find_template(outcome, templates)
                if template is None:
                    yield _missing(outcome.template, outcome.span, templates)
                else:
                    shown[template.name] = template
            for template in shown.values():
                yield from _template(template, placed, declared)


def unused_templates(templates: Mapping[str, Template], shown: Collection[Template | None]) -> Iterator[Diagnostic]:
    """Yield a complaint for each template that is not among those shown, and that no other one takes in."""
    taken_in = {name for template in templates.values() for name in template.takes_in}
    for name, template in templates.items():
        if template not in shown and name not in taken_in and not name.rpartition("/")[2].startswith("_"):
            span = Span(f"templates/{name}", 1, 1, 1)
            yield Diagnostic("S104", "warning", f"template `{name}` is never used", span)


def directives_written(sources: Iterable[Source]) -> Iterator[Diagnostic]:
    """Yield a complaint for each order to a proxy that stands in a template or in a plain text that it takes in."""
    for source in sources:
        for found in DIRECTIVES.finditer(source.text):
            span = span_at(source.file, source.text, found.start(), len(found[0]))
            message = "a fragment gives no orders to a proxy, so this is served as a comment or as text"
            yield Diagnostic("S401", "warning", message, span, help="let the page that includes the fragment do it")


def values_misplaced(sources: Iterable[Source]) -> Iterator[Diagnostic]:
    """Yield a complaint for each value that escaping does not make harmless where it stands in a template."""
    for source in sources:
        suffix = source.file[source.file.rfind(".") :]
        if suffix in SUFFIXES:
            for danger, start, width in dangers(source.text, suffix):
                code, message, help = _DANGERS[danger]
                span = span_at(source.file, source.text, start, width)
                yield Diagnostic(code, "warning", message, span, help=help)


def _missing(name: str, span: Span, templates: Mapping[str, Template]) -> Diagnostic:
    return Diagnostic("S101", "error", f"there is no template `{name}`", span, help=did_you_mean(name, templates))


def _template(template: Template, placed: Collection[str], declared: Set[Path]) -> Iterator[Diagnostic]:
    """Yield every complaint about what a template reads, where these slots may be placed and these paths be read."""
    for path, span in template.reads:
        if path[:1] == ("slots",):
            if len(path) < 2 or path[1] not in placed:
                name = ".".join(path)
                close = did_you_mean(name, [f"slots.{each}" for each in placed])
                yield Diagnostic("S103", "error", f"there is no `{name}` to place here", span, help=close)
        elif _bare(path) == (NOW_ROOT,):
            written = [f"`now.{name}`" for name in GRANULES]
            choice = f"write {', '.join(written[:-1])} or {written[-1]}: whatever you write is part of the key"
            yield Diagnostic("S105", "error", "`now` does not say how finely", span, help=choice)
        elif not _is_declared(path, declared):
            name = ".".join(_bare(path))
            close = did_you_mean(name, (".".join(p for p in known if p != EACH) for known in declared))
            yield Diagnostic("S102", "error", f"unknown name `{name}`", span, "nothing declares it", close)
    for span in template.widened:
        yield Diagnostic("S201", "warning", "what is read here cannot be told, so the whole object is demanded", span)
    for _, nested in template.nested:
        yield from _template(nested, placed, declared)


def _declared(ruleset: Ruleset, page: Page) -> Iterator[Path]:
    """Yield every path that a template of the page may read."""
    for name in (*ruleset.facts, *(SEGMENT + name for name in ruleset.segments)):
        yield tuple(name.split("."))
    for name in GRANULES:
        yield (NOW_ROOT, name)
    for name in page.params:
        yield ("param", name)
    for name in CTA_FIELDS:
        yield ("cta", name)
    for name in EXPERIMENT_FIELDS:
        yield ("experiment", name)
    for name in ruleset.item_fields:
        yield ("item", name)
        yield ("items", EACH, name)


def _is_declared(path: Path, declared: Iterable[Path]) -> bool:
    """Tell whether a path names something declared, lies inside it (``item.price.amount``), or holds it."""
    path = _bare(path)
    return any(path == known[: len(path)] or known == path[: len(known)] for known in map(_bare, declared))


def _bare(path: Path) -> Path:
    """Return a path without the marks for elements and sizes, which a template may read of anything."""
    return tuple(part for part in path if part not in (EACH, SIZE))
