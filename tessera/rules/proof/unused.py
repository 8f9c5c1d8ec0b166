"""What is declared and never used: nothing names it."""

from collections.abc import Collection, Iterator, Mapping

from tessera.rules.conditions import Expr, Test, Use, parts_of
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.facts import PARAMETER, SEGMENT, FactSource
from tessera.rules.names import Macro
from tessera.rules.ruleset import Cta, Experiment, ItemList, Page, Ruleset
from tessera.rules.source import Span
from tessera.rules.syntax import names_in

OFFERED: tuple[FactSource, ...] = ("request", "cart")
"""Where facts come from that are there whether anybody reads them or not."""


Declared = Macro | Cta | ItemList | Experiment

Name = tuple[str, str]
"""What kind of thing is named, as messages call it, and its name: facts and segments by their full one."""


def unused(ruleset: Ruleset, read_by_templates: Mapping[str, Collection[str]]) -> Iterator[Diagnostic]:
    """Complain of all that nothing names. `read_by_templates` has the full names of facts, by the page."""
    shared = set(_named_by_definitions(ruleset))
    named = {
        page.name: {*shared, *_named_on(page), *map(_fact, read_by_templates[page.name])}
        for page in ruleset.pages.values()
    }
    everywhere = shared.union(*named.values())
    for name, span in _declared(ruleset):
        if name not in everywhere:
            yield _unused(name, span)
    for page in ruleset.pages.values():
        for param in page.params.values():
            if _fact(param.name) not in named[page.name]:
                yield _unused(_fact(param.name), param.span)


def _declared(ruleset: Ruleset) -> Iterator[tuple[Name, Span]]:
    facts = [fact for fact in ruleset.facts.values() if fact.source not in OFFERED]
    for fact in (*facts, *(segment.fact for segment in ruleset.segments.values())):
        yield _fact(fact.name), fact.span
    declared: tuple[tuple[str, Mapping[str, Declared]], ...] = (
        ("condition", ruleset.conditions),
        ("CTA", ruleset.ctas),
        ("list", ruleset.lists),
        ("experiment", ruleset.experiments),
    )
    for noun, each in declared:
        yield from (((noun, name), found.span) for name, found in each.items())


def _named_by_definitions(ruleset: Ruleset) -> Iterator[Name]:
    """What is named outside of pages."""
    for expr in ruleset.computed.values():
        yield from _named_in(expr)
    for macro in ruleset.conditions.values():
        for name in names_in(macro.tree):
            yield ("condition", name.removesuffix("()")) if name.endswith("()") else _fact(name)
    for cta in ruleset.ctas.values():
        yield from map(_fact, cta.link.names)
    for items in ruleset.lists.values():
        yield from map(_fact, items.reads)
        if items.fallback is not None:
            yield "list", items.fallback
    for experiment in ruleset.experiments.values():
        yield from (_fact(name) for name in (experiment.unit, experiment.decided_by) if name is not None)
    for fact in ruleset.facts.values():
        if fact.list is not None:
            yield "list", fact.list
        yield from (_fact(attribute.fact) for attribute in fact.attributes)


def _named_on(page: Page) -> Iterator[Name]:
    for slot in (*page.slots.values(), *([page.layouts] if page.layouts else [])):
        for rule in slot.rules:
            if rule.when is not None:
                yield from _named_in(rule.when)
            if rule.split is not None:
                yield "experiment", rule.split.experiment.name
        for outcome in slot.outcomes:
            if outcome.cta is not None:
                yield "CTA", outcome.cta.name
            if outcome.items is not None:
                yield "list", outcome.items
            if outcome.item is not None:
                yield _fact(outcome.item)


def _named_in(expr: Expr) -> Iterator[Name]:
    """What a condition names, those reusable conditions that it uses written out."""
    if isinstance(expr, Use):
        yield "condition", expr.text.partition("(")[0].strip()
    if isinstance(expr, Test):
        yield from (_fact(fact.name) for fact in expr.facts())
    for part in parts_of(expr):
        yield from _named_in(part)


def _fact(name: str) -> Name:
    noun = "segment" if name.startswith(SEGMENT) else "parameter" if name.startswith(PARAMETER) else "fact"
    return noun, name


def _unused(name: Name, span: Span) -> Diagnostic:
    return Diagnostic("R505", "warning", f"{name[0]} `{name[1]}` is never used", span, "nothing names it")
