"""`tessera purge`."""

from pathlib import Path

import click

from tessera.cli.site import fail, read_settings, site_option, state_option, tell_all
from tessera.renderer.core.notices import Notice
from tessera.renderer.core.tags import EVERYTHING
from tessera.rules.diagnostics import did_you_mean

KINDS = ("visitor", "item", "list", "template", "cta", "slot", "experiment")


@click.command()
@click.argument("tags", metavar="TAG...", nargs=-1)
@click.option("--everything", is_flag=True, help="All that is remembered, instead of what carries a tag.")
@click.option("--hard", is_flag=True, help="Show it nowhere any more, not even where nothing newer is to be had.")
@site_option
@state_option
def purge(tags: tuple[str, ...], everything: bool, hard: bool, folder: Path, state_dir: Path | None) -> None:
    """Forget what is no longer true: all inputs and fragments that carry a tag, such as item:T-1.

    Requests that come after this are answered from what upstream says then. Without --hard, what was remembered still
    stands in where that is allowed: for a moment while it is asked for, and where upstream fails.
    """
    if everything == bool(tags):
        fail("name tags, or --everything")
    for tag in tags:
        kind, colon, name = tag.partition(":")
        if kind not in KINDS or not colon or not name:
            close = did_you_mean(kind, KINDS)
            fail(
                f"`{tag}` is not a tag: write a kind, a colon and a name; kinds are {', '.join(KINDS)}",
                *filter(None, [close]),
            )
    settings = read_settings(folder, state_dir=state_dir)
    told = tell_all(settings, Notice("purge", (EVERYTHING,) if everything else tags, hard=hard))
    click.echo(f"purged {'everything' if everything else ' '.join(tags)} (notice {told.number})")
