"""`tessera diff`."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from tessera.cli.site import offline_settings, open_site
from tessera.cli.situations import read_situations
from tessera.rules.difference import SlotDifference, compare, slots_of, to_json, to_text, untouched
from tessera.rules.probing import probes
from tessera.rules.ruleset import Ruleset
from tessera.rules.situations import Situation

folder_type = click.Path(exists=True, file_okay=False, path_type=Path)
PROBES = 400
"""How many situations are made up for a slot, at least."""


@click.command()
@click.argument("old", type=folder_type)
@click.argument("new", type=folder_type)
@click.option(
    "--contexts",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of situations to decide in.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to tell.")
def diff(old: Path, new: Path, file: Path | None, form: str) -> None:
    """Tell what visitors would see otherwise after a change from one site folder to another.

    Without situations from a file, some are made up that try every rule of both. Exits with 0 whatever differs, with 1
    where a site has errors, and with 2 where a file cannot be used.
    """
    before, after = (open_site(folder, offline_settings(folder)).ruleset for folder in (old, new))
    if file is None:
        same = untouched(before, after)
        differences = [*same, *compare(before, after, made_up(before, after, same))]
    else:
        differences = compare(before, after, read_situations(file))
    told = json.dumps(to_json(differences, before, after), indent=2) + "\n"
    click.echo(told if form == "json" else to_text(differences, before, after), nl=False)


def made_up(old: Ruleset, new: Ruleset, same: Sequence[SlotDifference]) -> Iterable[Situation]:
    """Situations for every slot that both have, without those that are the same, around now."""
    now = datetime.now(UTC).replace(microsecond=0)
    known = {(each.page, each.slot) for each in same}
    both = [place for place in slots_of(old) if place in slots_of(new) and place not in known]
    return (each for page, slot in both for each in probes((old, new), page, slot, now, PROBES))
