"""`tessera erase` and `tessera unsuppress`."""

import asyncio
import getpass
from pathlib import Path

import click

from tessera.cli.site import count, fail, read_settings, site_option, state_option
from tessera.publishing.erasing import erase as erase_everywhere
from tessera.publishing.suppressing import NEEDS_SECRET
from tessera.publishing.suppressing import unsuppress as unsuppress_everywhere
from tessera.renderer.core.errors import SourceError

by_option = click.option("--by", metavar="NAME", default=getpass.getuser, help="Who, for the record; else you.")


@click.command()
@click.argument("visitor")
@click.option("--suppress", is_flag=True, help="From now on, treat them as one who refused personalization.")
@by_option
@site_option
@state_option
def erase(visitor: str, suppress: bool, by: str, folder: Path, state_dir: Path | None) -> None:
    """Forget a visitor: what the embedded store has of them, and whatever is remembered or was copied anywhere.

    Upstreams whose adapters can erase are told to. May be done again, as long as one of them fails.
    """
    settings = read_settings(folder, state_dir=state_dir)
    if suppress and settings.secret is None:
        fail(NEEDS_SECRET)
    try:
        erased = asyncio.run(erase_everywhere(settings, visitor, by=by, suppressed=suppress))
    except (OSError, SourceError) as failure:
        fail(f"nothing can be erased: {failure}", code=1)
    click.echo(f"erased {visitor}: {count(erased.rows, 'row')} here (notice {erased.purged.notice})")
    if suppress:
        click.echo(f"{visitor} is suppressed, until `tessera unsuppress`")
    for name in erased.upstream:
        click.echo(f"{name} was told to erase")
    for name, why in erased.purged.waiting.items():
        click.echo(f"{name} still has it, and a server of this machine goes on: {why}", err=True)
    for name, why in erased.failed.items():
        click.echo(f"{name} has not erased: {why}", err=True)
    if erased.failed:
        fail("erase again once it can be reached", code=1)


@click.command()
@click.argument("visitor")
@by_option
@site_option
@state_option
def unsuppress(visitor: str, by: str, folder: Path, state_dir: Path | None) -> None:
    """Take a suppression back: a visitor is personalized again, where they consent."""
    settings = read_settings(folder, state_dir=state_dir)
    if settings.secret is None:
        fail(NEEDS_SECRET)
    try:
        waiting = asyncio.run(unsuppress_everywhere(settings, visitor, by=by))
    except OSError as failure:
        fail(f"nothing can be taken back: {failure}", code=1)
    click.echo(f"{visitor} is suppressed no longer")
    for name, why in waiting.items():
        click.echo(f"{name} does not know yet, and a server of this machine goes on: {why}", err=True)
