"""What the verbs share: the options that name a site, reading it, and saying that something cannot be used."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click

import tessera
from tessera.adapters.sqlite import Interaction, Seed, fill, prepare
from tessera.app import STORE
from tessera.renderer.engines.base import Limits
from tessera.renderer.settings import Settings, SettingsError, load_settings
from tessera.renderer.site import LoadedSite, Site, load_site

DEMO = Path(tessera.__file__).parent / "demo"
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


def read_settings(folder: Path, **server: object) -> Settings:
    given = {name: value for name, value in server.items() if value is not None}
    try:
        return load_settings(folder, server=given)
    except SettingsError as wrong:
        fail(*wrong.problems)


def offline_settings(folder: Path) -> Settings:
    """The settings for verbs that answer nobody, so that they need no secret."""
    return read_settings(folder, mode="development")


def load(folder: Path, settings: Settings) -> LoadedSite:
    bounds = settings.rendering
    limits = Limits(steps=bounds.max_steps, output_bytes=bounds.max_output_bytes)
    return load_site(folder, settings.site.locales, limits)


def open_site(folder: Path, settings: Settings) -> Site:
    loaded = load(folder, settings)
    if loaded.site is None:
        report(loaded)
        sys.exit(1)
    return loaded.site


def prepare_store(folder: Path, settings: Settings) -> None:
    """Make the embedded store; that of the demo is filled with its shop."""
    store = settings.server.state_dir / STORE
    if prepare(store) and folder == DEMO:
        from tessera.demo.seed import world  # only now: most starts find the store filled

        made = world(datetime.now(UTC))
        fill(store, Seed(made.items, made.visitors, map(Interaction._make, made.interactions), made.carts))


def report(loaded: LoadedSite) -> None:
    click.echo(loaded.text(color=sys.stdout.isatty()), nl=False)


def fail(*problems: str) -> NoReturn:
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(UNUSABLE)
