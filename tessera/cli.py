"""The command line. Each verb calls one function of the room that does the work."""

import asyncio
import gc
import json
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click
import uvicorn

from tessera.adapters.sqlite import Interaction, Seed, fill, prepare
from tessera.app import STORE, assemble, make_app
from tessera.renderer.core.context import Context
from tessera.renderer.core.device import Device
from tessera.renderer.core.visitor import Visitor
from tessera.renderer.engines.base import Limits
from tessera.renderer.explain import Explanation
from tessera.renderer.explain import explain as explain_slot
from tessera.renderer.gather import Asked
from tessera.renderer.loader import Report, SiteLoader
from tessera.renderer.personas import PersonasError, load_personas
from tessera.renderer.reload import LiveSite, edits
from tessera.renderer.settings import Settings, SettingsError, load_settings
from tessera.renderer.site import Site
from tessera.rules.diagnostics import to_json
from tessera.rules.facts import Value, coerce
from tessera.rules.values import parse_timestamp

DEMO = Path(__file__).parent / "demo"
GARBAGE_THRESHOLD = 20_000
"""Objects made before the next look for garbage. Requests leave little that is cyclic."""
UNUSABLE = 2
"""Exit code where the settings or the words on the command line cannot be used."""

site_option = click.option(
    "--site",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=DEMO,
    help="Folder with rules/, templates/ and tessera.toml; without it, the demo shop that comes with Tessera.",
)
state_option = click.option(
    "--state-dir", type=click.Path(file_okay=False, path_type=Path), help="Folder for what Tessera itself stores."
)


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
@click.option("--development/--production", default=None, help="In which mode to run.")
def serve(folder: Path, state_dir: Path | None, host: str | None, port: int | None, development: bool | None) -> None:
    """Serve a site."""
    mode = None if development is None else "development" if development else "production"
    settings = _settings(folder, host=host, port=port, state_dir=state_dir, mode=mode)
    loader = _loader(folder, settings)
    site = _loaded(loader)
    try:
        personas = load_personas(folder)
    except PersonasError as broken:
        _fail(str(broken))
    _prepare_store(folder, settings)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    reload = loader.load if settings.server.mode == "development" else None
    config = uvicorn.Config(
        make_app(settings, LiveSite(site, reload), personas),
        host=settings.server.host,
        port=settings.server.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who asks is told by cookies and the edge's secret, never by an address
        lifespan="on",
    )
    gc.freeze()  # what was loaded stays; looking through it again and again takes a tenth of the time of requests
    gc.set_threshold(GARBAGE_THRESHOLD)
    listener = config.bind_socket()
    _Announcing(config, settings.site.name).run([listener])


class _Announcing(uvicorn.Server):
    """Says where it serves, once it does."""

    def __init__(self, config: uvicorn.Config, name: str) -> None:
        super().__init__(config)
        self._name = name

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            click.echo(f"{self._name} is served at http://{host}:{port}/")


@tessera.command()
@site_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to report.")
@click.option("--watch", is_flag=True, help="Go on, and check again on each edit, until interrupted.")
def check(folder: Path, form: str, watch: bool) -> None:
    """Check rules and templates; exit with 1 where there are errors."""
    loader = _loader(folder, _settings(folder))
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
        _report(checked)
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
    settings = _settings(folder, state_dir=state_dir)
    site = _site(folder, settings)
    page, _, slot = place.partition("/")
    plan = site.pages[page].slots.get(slot) if page in site.pages else None
    if plan is None:
        known = [f"{name}/{each}" for name, found in site.pages.items() for each in found.slots]
        _fail(f"there is no slot `{place}`; there are {', '.join(known)}")
    try:
        now = parse_timestamp(at) if at else datetime.now(UTC)
        facts = dict(_given(site, page, pair) for pair in given)
    except ValueError as wrong:
        _fail(str(wrong))
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


def _settings(folder: Path, **server: object) -> Settings:
    given = {name: value for name, value in server.items() if value is not None}
    try:
        return load_settings(folder, server=given)
    except SettingsError as wrong:
        _fail(*wrong.problems)


def _loader(folder: Path, settings: Settings) -> SiteLoader:
    bounds = settings.rendering
    limits = Limits(steps=bounds.max_steps, output_bytes=bounds.max_output_bytes)
    return SiteLoader(folder, settings.site.locales, limits)


def _site(folder: Path, settings: Settings) -> Site:
    return _loaded(_loader(folder, settings))


def _loaded(loader: SiteLoader) -> Site:
    loaded = loader.load()
    if loaded.site is None:
        _report(loaded)
        sys.exit(1)
    return loaded.site


def _prepare_store(folder: Path, settings: Settings) -> None:
    """Make the embedded store; that of the demo is filled with its shop."""
    store = settings.server.state_dir / STORE
    if prepare(store) and folder == DEMO:
        from tessera.demo.seed import world  # only now: most starts find the store filled

        made = world(datetime.now(UTC))
        fill(store, Seed(made.items, made.visitors, map(Interaction._make, made.interactions), made.carts))


def _report(report: Report) -> None:
    click.echo(report.text(color=sys.stdout.isatty()), nl=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _fail(*problems: str) -> NoReturn:
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(UNUSABLE)
