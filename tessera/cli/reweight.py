"""`tessera reweight`."""

import json
import sys
from pathlib import Path

import click

from tessera.cli.site import fail, offline_settings, report, site_option
from tessera.publishing.deployment import Deployment
from tessera.renderer.loader import LoadedSite
from tessera.rules.assemble import assemble
from tessera.rules.diagnostics import did_you_mean
from tessera.rules.reweighting import moves, parse_weights, ranges_for, rewritten, to_growthbook
from tessera.rules.ruleset import Experiment
from tessera.rules.source import Source


@click.command()
@click.argument("name", metavar="EXPERIMENT")
@click.argument("weights", required=False, metavar="[ARM=PERCENT,...]")
@site_option
@click.option("--export", type=click.Choice(["growthbook"]), help="Print it as other SDKs take it.")
def reweight(name: str, weights: str | None, folder: Path, export: str | None) -> None:
    """Change the weights of an experiment such that as few visitors as possible move.

    Writes weights and buckets into the experiments' file and tells who moves. Exits with 1 where the site has errors,
    and with 2 where there is no such experiment or its weights cannot be used.
    """
    loaded = Deployment(folder, offline_settings(folder)).load(folder)
    if loaded.site is None:
        report(loaded)
        sys.exit(1)
    known = loaded.site.ruleset.experiments
    if name not in known:
        fail(f"there is no experiment `{name}`; {did_you_mean(name, known) or 'there are ' + ', '.join(known)}")
    if weights is None and export is None:
        fail("say the new weight of each arm, or what to export")
    experiment = known[name] if weights is None else _changed(loaded, known[name], weights, folder, bool(export))
    if export:
        click.echo(json.dumps(to_growthbook(experiment), indent=2))


def _changed(loaded: LoadedSite, experiment: Experiment, text: str, folder: Path, quiet: bool) -> Experiment:
    """The experiment with its new weights, which stand in its file; tells who moves (to stderr where `quiet`)."""
    try:
        weights = parse_weights(text, experiment)
    except ValueError as wrong:
        fail(str(wrong))
    ranges = ranges_for(experiment, weights)
    file = experiment.span.file
    written = rewritten(loaded.sources[file].text, experiment.name, weights, ranges)
    rules = [source for name, source in loaded.sources.items() if name.startswith("rules/") and name != file]
    again = assemble([*rules, Source(file, written)], []).ruleset
    if again is None:
        fail(f"{file} is written in a way that cannot be edited; write arms and ranges as in docs/rules.md")
    moved = moves(experiment, ranges)
    for (source, target), share in sorted(moved.items(), key=lambda each: -each[1]):
        click.echo(f"{source or 'nobody'} → {target or 'nobody'}: {100 * share:.2f} percent of all visitors", err=quiet)
    if not moved:
        click.echo("nobody moves", err=quiet)
    (folder / file).write_text(written, encoding="utf-8", newline="\n")
    click.echo(f"{file} changed", err=quiet)
    return again.experiments[experiment.name]
