"""`tessera render` and `tessera explain`: one slot, for whom and when one asks."""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tessera.app import assemble
from tessera.cli.site import fail, offline_settings, open_site, read_settings, site_option, state_option
from tessera.cli.situations import find_situation
from tessera.cli.store import prepare_store
from tessera.publishing.suppressing import is_suppressed
from tessera.renderer.core.context import Context
from tessera.renderer.core.device import Device
from tessera.renderer.core.visitor import Visitor
from tessera.renderer.explain import Explanation
from tessera.renderer.explain import explain as explain_slot
from tessera.renderer.gather import Asked
from tessera.renderer.site import Site
from tessera.rules import trace as account
from tessera.rules.difference import slots_of
from tessera.rules.facts import Value, coerce
from tessera.rules.situations import Situation, explain_in
from tessera.rules.values import parse_timestamp


def question(command: Callable[..., None]) -> Callable[..., None]:
    """Add what `render` and `explain` ask alike: where, for whom, when, and what else is so."""
    options = [
        click.argument("place", metavar="PAGE/SLOT"),
        site_option,
        state_option,
        click.option("--visitor", help="Id of a visitor who has given consent; without it, a stranger."),
        click.option("--at", help="The moment, such as 2026-11-24T10:00+01:00; without it, now."),
        click.option("--given", multiple=True, metavar="FACT=VALUE", help="What is so, whatever is fetched."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@question
def render(**words: Any) -> None:
    """Print the HTML of one slot, as a visitor gets it."""
    click.echo(_explain(**words).answer.fragment.body.decode())


@click.command()
@question
@click.option("--context", metavar="FILE[:LINE]", help="A situation from a file of them.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to tell.")
def explain(form: str, context: str | None, **words: Any) -> None:
    """Tell why a slot shows what it shows: every rule, every value, what was fetched, until when it holds."""
    if context is not None:
        _explain_in(find_situation(context), form, words["place"], words["folder"])
        return
    told = _explain(**words)
    click.echo(json.dumps(told.to_json(), indent=2) if form == "json" else told.to_text())


def _explain_in(situation: Situation, form: str, place: str, folder: Path) -> None:
    if place != f"{situation.page}/{situation.slot}":
        fail(f"the situation is one of `{situation.page}/{situation.slot}`, not of `{place}`")
    ruleset = open_site(folder, offline_settings(folder)).ruleset
    if (situation.page, situation.slot) not in slots_of(ruleset):
        fail(f"there is no slot `{place}`")
    trace = explain_in(ruleset, situation)
    click.echo(json.dumps(account.to_json(trace), indent=2) if form == "json" else account.to_text(trace), nl=False)


def _explain(
    place: str, folder: Path, state_dir: Path | None, visitor: str | None, at: str | None, given: Sequence[str]
) -> Explanation:
    settings = read_settings(folder, state_dir=state_dir)
    site = open_site(folder, settings)
    page, _, slot = place.partition("/")
    plan = site.pages[page].slots.get(slot) if page in site.pages else None
    if plan is None:
        known = [f"{name}/{each}" for name, found in site.pages.items() for each in found.slots]
        fail(f"there is no slot `{place}`; there are {', '.join(known)}")
    try:
        now = parse_timestamp(at) if at else datetime.now(UTC)
        facts = given_facts(site, given, page)
    except ValueError as wrong:
        fail(str(wrong))
    prepare_store(folder, settings)
    context = Context.of(
        Visitor(visitor, "granted" if visitor else "unknown"), Device(), site.locales[0], site.declared
    )
    if visitor and is_suppressed(settings, visitor):
        context = context.refused()
        click.echo(f"{visitor} is suppressed", err=True)
    asked = Asked(context, site.declared, now, given=facts)

    async def ask() -> Explanation:
        async with assemble(settings) as parts:
            return await explain_slot(parts["pipeline"], asked, site, plan)

    return asyncio.run(ask())


def given_facts(site: Site, pairs: Sequence[str], page: str | None = None) -> dict[str, Value]:
    """Read facts as the command line gives them, and parameters: of one page, or of any. Raises ValueError."""
    found = {}
    for pair in pairs:
        name, equals, raw = pair.partition("=")
        pages = site.ruleset.pages if page is None else [page]
        fact = next((fact for each in pages if (fact := site.ruleset.fact(each, name)) is not None), None)
        if not equals or fact is None:
            raise ValueError(f"`{pair}` is not a declared fact, an equals sign and a value")
        found[name] = coerce(fact, raw)
    return found
