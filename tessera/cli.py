"""The command line. Each verb calls one function of the room that does the work."""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tessera.adapters.sqlite import Interaction, Seed, fill, prepare
from tessera.app import STORE, assemble
from tessera.console import DEMO, fail, report, settings_of, site_option, state_option
from tessera.publish_commands import PUBLISHING
from tessera.publishing.deployment import Deployment, NotServable
from tessera.renderer.core.context import Context
from tessera.renderer.core.device import Device
from tessera.renderer.core.visitor import Visitor
from tessera.renderer.explain import Explanation
from tessera.renderer.explain import explain as explain_slot
from tessera.renderer.gather import Asked
from tessera.renderer.loader import SiteLoader
from tessera.renderer.personas import PersonasError
from tessera.renderer.reload import edits
from tessera.renderer.settings import Settings
from tessera.renderer.site import Site
from tessera.rules.diagnostics import to_json
from tessera.rules.facts import Value, coerce
from tessera.rules.values import parse_timestamp
from tessera.workers import run


def main() -> None:
    """Run the command line."""
    tessera()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tessera")
def tessera() -> None:
    """Personalized page fragments, decided by rules, rendered and cached on the server."""


@tessera.command()
@site_option
@state_option
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one.")
@click.option("--workers", type=int, help="Processes that share the port.")
@click.option("--development/--production", default=None, help="In which mode to run.")
def serve(
    folder: Path,
    state_dir: Path | None,
    host: str | None,
    port: int | None,
    workers: int | None,
    development: bool | None,
) -> None:
    """Serve a site."""
    mode = None if development is None else "development" if development else "production"
    words = {"host": host, "port": port, "workers": workers, "state_dir": state_dir, "mode": mode}
    overrides = {name: value for name, value in words.items() if value is not None}
    settings = settings_of(folder, **overrides)
    _prepare_store(folder, settings)
    try:
        run(Deployment(folder, settings), overrides, lambda url: click.echo(f"{settings.site.name} is served at {url}"))
    except NotServable as broken:
        report(broken.loaded)
        sys.exit(1)
    except PersonasError as broken:
        fail(str(broken))


@tessera.command()
@site_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to report.")
@click.option("--watch", is_flag=True, help="Go on, and check again on each edit, until interrupted.")
def check(folder: Path, form: str, watch: bool) -> None:
    """Check rules and templates; exit with 1 where there are errors."""
    loader = Deployment(folder, settings_of(folder)).loader(folder)
    for _ in edits(folder):
        errors = _check(loader, form)
        if not watch:
            sys.exit(1 if errors else 0)


def _check(loader: SiteLoader, form: str) -> int:
    """Check a site, report, and return how many errors there are."""
    checked = loader.check()
    errors = sum(each.severity == "error" for each in checked.diagnostics)
    if form == "json":
        click.echo(json.dumps(to_json(checked.diagnostics), indent=2))
    else:
        report(checked)
        click.echo(f"{_count(errors, 'error')}, {_count(len(checked.diagnostics) - errors, 'warning')}")
    return errors


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


@tessera.command()
@question
def render(**words: Any) -> None:
    """Print the HTML of one slot, as a visitor gets it."""
    click.echo(_explain(**words).answer.fragment.body.decode())


@tessera.command()
@question
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to tell.")
def explain(form: str, **words: Any) -> None:
    """Tell why a slot shows what it shows: every rule, every value, what was fetched, until when it holds."""
    told = _explain(**words)
    click.echo(json.dumps(told.to_json(), indent=2) if form == "json" else told.to_text())


def _explain(
    place: str, folder: Path, state_dir: Path | None, visitor: str | None, at: str | None, given: Sequence[str]
) -> Explanation:
    settings = settings_of(folder, state_dir=state_dir)
    site = _site(folder, settings)
    page, _, slot = place.partition("/")
    plan = site.pages[page].slots.get(slot) if page in site.pages else None
    if plan is None:
        known = [f"{name}/{each}" for name, found in site.pages.items() for each in found.slots]
        fail(f"there is no slot `{place}`; there are {', '.join(known)}")
    try:
        now = parse_timestamp(at) if at else datetime.now(UTC)
        facts = dict(_given(site, page, pair) for pair in given)
    except ValueError as wrong:
        fail(str(wrong))
    _prepare_store(folder, settings)
    context = Context.of(
        Visitor(visitor, "granted" if visitor else "unknown"), Device(), site.locales[0], site.declared
    )
    asked = Asked(context, site.declared, now, now.timestamp(), given=facts)

    async def ask() -> Explanation:
        async with assemble(settings) as parts:
            return await explain_slot(parts["pipeline"], asked, site, plan)

    return asyncio.run(ask())


def _given(site: Site, page: str, pair: str) -> tuple[str, Value]:
    name, equals, raw = pair.partition("=")
    fact = site.ruleset.fact(page, name)
    if not equals or fact is None:
        raise ValueError(f"`{pair}` is not a declared fact, an equals sign and a value")
    return name, coerce(fact, raw)


def _site(folder: Path, settings: Settings) -> Site:
    try:
        return Deployment(folder, settings).site(folder)
    except NotServable as broken:
        report(broken.loaded)
        sys.exit(1)


def _prepare_store(folder: Path, settings: Settings) -> None:
    """Make the embedded store; that of the demo is filled with its shop."""
    store = settings.server.state_dir / STORE
    if prepare(store) and folder == DEMO:
        from tessera.demo.seed import world  # only now: most starts find the store filled

        made = world(datetime.now(UTC))
        fill(store, Seed(made.items, made.visitors, map(Interaction._make, made.interactions), made.carts))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


for command in PUBLISHING:
    tessera.add_command(command)
