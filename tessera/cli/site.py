"""What the verbs share: the options that name a site, reading it, and saying that something cannot be used."""

import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click

import tessera
from tessera.publishing.deployment import Deployment, NotServable
from tessera.publishing.telling import Told, tell
from tessera.renderer.core.notices import Notice
from tessera.renderer.loader import Report
from tessera.renderer.settings import Settings, SettingsError, load_settings
from tessera.renderer.site import Site

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


def story(command: Callable[..., None]) -> Callable[..., None]:
    """Add who does it and why, which the history keeps."""
    command = click.option("--why", "why", default="", metavar="TEXT", help="Why, for the history.")(command)
    return click.option("--by", metavar="NAME", default=getpass.getuser, help="Who; else you.")(command)


def read_settings(folder: Path, **server: object) -> Settings:
    """Read a site's settings, those of the server outranked by what the command line says."""
    given = {name: value for name, value in server.items() if value is not None}
    try:
        return load_settings(folder, server=given)
    except SettingsError as wrong:
        fail(*wrong.problems)


def offline_settings(folder: Path, **server: object) -> Settings:
    """The settings for verbs that answer nobody, so that they need no secret."""
    return read_settings(folder, mode="development", **server)


def tell_all(settings: Settings, notice: Notice) -> Told:
    """Tell all processes that serve the site."""
    try:
        told = tell(settings, notice)
    except OSError as failure:
        fail(f"the servers of this machine cannot be told: {failure}", code=1)
    if told.redis_is_away:
        click.echo("Redis is away: other machines hear of it once a server of this one finds it again", err=True)
    return told


def open_site(folder: Path, settings: Settings) -> Site:
    """Load a site; with errors, report them and leave."""
    try:
        return Deployment(folder, settings).site(folder)
    except NotServable as broken:
        report(broken.report)
        sys.exit(1)


def report(complaints: Report) -> None:
    """Print the complaints about a site."""
    click.echo(complaints.text(color=sys.stdout.isatty()), nl=False)


def count(number: int, noun: str) -> str:
    """Say how many there are."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def fail(*problems: str, code: int = UNUSABLE) -> NoReturn:
    """Say what is wrong, and leave with an exit code."""
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(code)
