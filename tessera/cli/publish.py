"""`tessera publish`, `tessera rollback` and `tessera history`."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from tessera.cli.site import fail, read_settings, report, site_option, state_option, story, tell_all
from tessera.publishing.deployment import Deployment, NotServable
from tessera.publishing.proof import Unproved, proved
from tessera.publishing.releases import Entry, ReleaseError
from tessera.renderer.core.notices import Notice


@click.command()
@site_option
@state_option
@story
def publish(folder: Path, state_dir: Path | None, by: str, why: str) -> None:
    """Prove a site, and make it the live release.

    It is checked and its tests are run first; with an error or a failed test nothing changes. Running servers change to
    the new release between two requests.
    """
    deployment = Deployment(folder, read_settings(folder, state_dir=state_dir))
    try:
        entry = deployment.releases.publish(folder, lambda copy: proved(deployment, copy), datetime.now(UTC), by, why)
    except NotServable as broken:
        report(broken.report)
        fail("nothing was published: the site has errors", code=1)
    except Unproved as failed:
        click.echo(str(failed), nl=False)
        fail("nothing was published: tests fail", code=1)
    except ReleaseError as problem:
        fail(str(problem))
    _tell(deployment, entry)


@click.command()
@click.argument("version", required=False)
@site_option
@state_option
@story
def rollback(version: str | None, folder: Path, state_dir: Path | None, by: str, why: str) -> None:
    """Make an earlier release live again: VERSION, or the one before this one."""
    deployment = Deployment(folder, read_settings(folder, state_dir=state_dir))
    try:
        entry = deployment.releases.rollback(version, datetime.now(UTC), by, why)
    except ReleaseError as problem:
        fail(str(problem))
    _tell(deployment, entry)


@click.command()
@site_option
@state_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to tell.")
@click.option("--diff", "diffs", is_flag=True, help="Show what changed, too.")
def history(folder: Path, state_dir: Path | None, form: str, diffs: bool) -> None:
    """Tell who published what, when and why, the newest first."""
    deployment = Deployment(folder, read_settings(folder, state_dir=state_dir))
    entries = deployment.releases.history()[::-1]
    if form == "json":
        click.echo(json.dumps([asdict(each) for each in entries], indent=2))
        return
    for entry in entries:
        click.echo(f"{entry.version[:12]}  {entry.at[:16]}  {entry.action:8}  {entry.by}  {entry.why}")
        if diffs and entry.diff:
            click.echo(entry.diff)


def _tell(deployment: Deployment, entry: Entry) -> None:
    tell_all(deployment.settings, Notice("look"))
    added = sum(line.startswith("+") and not line.startswith("+++") for line in entry.diff.splitlines())
    removed = sum(line.startswith("-") and not line.startswith("---") for line in entry.diff.splitlines())
    before = f", before it {entry.previous[:12]}" if entry.previous else ""
    click.echo(f"{entry.version[:12]} is live{before} (+{added} −{removed} lines)")
