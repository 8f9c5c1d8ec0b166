"""What the commands share: how a site is named, and how problems are told."""

import sys
from pathlib import Path
from typing import NoReturn

import click

from tessera.renderer.loader import Report
from tessera.renderer.settings import Settings, SettingsError, load_settings

DEMO = Path(__file__).parent / "demo"
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


def settings_of(folder: Path, **server: object) -> Settings:
    """Read a site's settings, those of the server outranked by what the command line says."""
    given = {name: value for name, value in server.items() if value is not None}
    try:
        return load_settings(folder, server=given)
    except SettingsError as wrong:
        fail(*wrong.problems)


def report(loaded: Report) -> None:
    """Print the complaints about a site."""
    click.echo(loaded.text(color=sys.stdout.isatty()), nl=False)


def fail(*problems: str, code: int = UNUSABLE) -> NoReturn:
    """Say what is wrong, and leave with an exit code."""
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(code)
