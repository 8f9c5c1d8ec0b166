"""`tessera erase`."""

import asyncio
import getpass
from pathlib import Path

import click

from tessera.cli.site import count, fail, read_settings, site_option, state_option
from tessera.publishing.erasing import erase as erase_everywhere
from tessera.renderer.core.errors import SourceError


@click.command()
@click.argument("visitor")
@click.option("--by", metavar="NAME", default=getpass.getuser, help="Who, for the record; else you.")
@site_option
@state_option
def erase(visitor: str, by: str, folder: Path, state_dir: Path | None) -> None:
    """Forget a visitor: what the embedded store has of them, and whatever is remembered or was copied anywhere.

    Upstreams whose adapters can erase are told to. May be done again, as long as one of them fails.
    """
    settings = read_settings(folder, state_dir=state_dir)
    try:
        erased = asyncio.run(erase_everywhere(settings, visitor, by=by))
    except (OSError, SourceError) as failure:
        fail(f"nothing can be erased: {failure}", code=1)
    click.echo(f"erased {visitor}: {count(erased.rows, 'row')} here (notice {erased.purged.notice})")
    for name in erased.upstream:
        click.echo(f"{name} was told to erase")
    for name, why in erased.purged.waiting.items():
        click.echo(f"{name} still has it, and a server of this machine goes on: {why}", err=True)
    for name, why in erased.failed.items():
        click.echo(f"{name} has not erased: {why}", err=True)
    if erased.failed:
        fail("erase again once it can be reached", code=1)
