"""`tessera purge`."""

import asyncio
import getpass
from pathlib import Path

import click

from tessera.cli.site import fail, read_settings, site_option, state_option
from tessera.publishing.purging import purge as purge_everywhere
from tessera.renderer.core.tags import EVERYTHING, problem_with


@click.command()
@click.argument("tags", metavar="TAG...", nargs=-1)
@click.option("--everything", is_flag=True, help="All that is remembered, instead of what carries a tag.")
@click.option("--hard", is_flag=True, help="Show it nowhere any more, not even where nothing newer is to be had.")
@click.option("--by", metavar="NAME", default=getpass.getuser, help="Who, for the record; else you.")
@site_option
@state_option
def purge(tags: tuple[str, ...], everything: bool, hard: bool, by: str, folder: Path, state_dir: Path | None) -> None:
    """Forget what is no longer true: all inputs and fragments that carry a tag, such as item:T-1.

    Requests that come after this are answered from what upstream says then. Without --hard, what was remembered still
    stands in where that is allowed: for a moment while it is asked for, and where upstream fails.
    """
    if everything == bool(tags):
        fail("name tags, or --everything")
    for tag in tags:
        if (wrong := problem_with(tag)) is not None:
            fail(*wrong.splitlines())
    settings = read_settings(folder, state_dir=state_dir)
    named = (EVERYTHING,) if everything else tags
    try:
        touched = asyncio.run(purge_everywhere(settings, named, hard=hard, by=by))
    except OSError as failure:
        fail(f"the servers of this machine cannot be told: {failure}", code=1)
    click.echo(f"purged {'everything' if everything else ' '.join(tags)} (notice {touched.notice})")
    for name, why in touched.waiting.items():
        said = "Redis is away: other machines hear of it once a server of this one finds it again"
        click.echo(
            said if name == "redis" else f"{name} still has it, and a server of this machine goes on: {why}", err=True
        )
