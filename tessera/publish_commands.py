"""The commands that change what is live: publish, roll back, switch off and on, preview."""

import getpass
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tessera.console import fail, report, settings_of, site_option, state_option
from tessera.publishing.deployment import Deployment, NotServable
from tessera.publishing.proof import Unproved, proved
from tessera.publishing.releases import Entry, ReleaseError
from tessera.renderer.previews import NAME, Preview, Previews
from tessera.rules.switches import Switch, unknown
from tessera.rules.values import parse_elapsed, parse_timestamp


def story(command: Callable[..., None]) -> Callable[..., None]:
    """Add who does it and why, which the history keeps."""
    command = click.option("--why", "why", default="", metavar="TEXT", help="Why, for the history.")(command)
    return click.option("--by", metavar="NAME", default=getpass.getuser, help="Who; else you.")(command)


@click.command()
@site_option
@state_option
@story
def publish(folder: Path, state_dir: Path | None, by: str, why: str) -> None:
    """Prove a site, and make it the live release.

    It is checked and its tests are run first; with an error or a failed test nothing changes. Running servers change to
    the new release between two requests.
    """
    deployment = Deployment(folder, settings_of(folder, state_dir=state_dir))
    try:
        entry = deployment.releases.publish(folder, lambda copy: proved(deployment, copy), datetime.now(UTC), by, why)
    except NotServable as broken:
        report(broken.loaded)
        fail("nothing was published: the site has errors", code=1)
    except Unproved as failed:
        click.echo(str(failed), nl=False)
        fail("nothing was published: tests fail", code=1)
    except ReleaseError as problem:
        fail(str(problem))
    _tell(entry)


@click.command()
@click.argument("version", required=False)
@site_option
@state_option
@story
def rollback(version: str | None, folder: Path, state_dir: Path | None, by: str, why: str) -> None:
    """Make an earlier release live again: VERSION, or the one before this one."""
    deployment = Deployment(folder, settings_of(folder, state_dir=state_dir))
    try:
        entry = deployment.releases.rollback(version, datetime.now(UTC), by, why)
    except ReleaseError as problem:
        fail(str(problem))
    _tell(entry)


@click.command()
@site_option
@state_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to tell.")
@click.option("--diff", "diffs", is_flag=True, help="Show what changed, too.")
def history(folder: Path, state_dir: Path | None, form: str, diffs: bool) -> None:
    """Tell who published what, when and why, the newest first."""
    deployment = Deployment(folder, settings_of(folder, state_dir=state_dir))
    entries = deployment.releases.history()[::-1]
    if form == "json":
        click.echo(json.dumps([asdict(each) for each in entries], indent=2))
        return
    for entry in entries:
        click.echo(f"{entry.version[:12]}  {entry.at[:16]}  {entry.action:8}  {entry.by}  {entry.why}")
        if diffs and entry.diff:
            click.echo(entry.diff)


def switching(command: Callable[..., None]) -> Callable[..., None]:
    """Add what can be switched: a slot, one of its rules, an experiment."""
    options = [
        click.argument("place", metavar="[PAGE/SLOT]", required=False),
        click.option("--rule", metavar="NAME", help="One rule of the slot, by its name."),
        click.option("--experiment", metavar="NAME", help="An experiment, wherever it is used."),
        site_option,
        state_option,
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@switching
@story
def disable(by: str, why: str, **words: Any) -> None:
    """Switch off a slot, a rule or an experiment, within a second and without publishing.

    A slot that is off shows its default; a rule, or one with an experiment that is off, is as if it were not there.
    Without any, tell what is off.
    """
    deployment, switch = _switch(**words)
    if switch is None:
        for each in deployment.switchboard.thrown():
            click.echo(f"{each.switch}  {each.at[:16]}  {each.by}  {each.why}")
        return
    site = deployment.load(deployment.served()).site
    if site is None:
        click.echo("the site has errors, so this is not checked: what names nothing has no effect", err=True)
    elif (problem := unknown(site.ruleset, switch)) is not None:
        fail(problem)
    deployment.switchboard.disable(switch, datetime.now(UTC), by, why)
    click.echo(f"{switch} is off")


@click.command()
@switching
def enable(**words: Any) -> None:
    """Switch on again what was switched off."""
    deployment, switch = _switch(**words)
    if switch is None:
        fail("name a PAGE/SLOT, or an --experiment")
    if not deployment.switchboard.enable(switch):
        fail(f"{switch} is not off")
    click.echo(f"{switch} is on")


@click.command()
@click.option("--version", help="A release, by its name or the beginning of it; without it, what is live.")
@click.option("--arm", metavar="EXPERIMENT.ARM", help="An arm to show, whoever asks.")
@click.option("--at", help="A moment, such as 2026-12-24T10:00+01:00; without it, now.")
@click.option("--explain", "may_explain", is_flag=True, help="Let the holder ask why, with `explain` in the query.")
@click.option("--for", "lasts", default="1h", show_default=True, help="How long the token is good.")
@site_option
@state_option
def preview(
    version: str | None, arm: str | None, at: str | None, may_explain: bool, lasts: str, folder: Path,
    state_dir: Path | None,
) -> None:  # fmt: skip
    """Print a signed token that shows whoever holds it another version, arm or moment, uncached and uncounted."""
    settings = settings_of(folder, state_dir=state_dir)
    deployment = Deployment(folder, settings)
    if settings.secret is None:
        fail("set `TESSERA_SECRET`: it signs the token, and must be the server's")
    if arm is not None and arm not in (arms := _arms(deployment, version)):
        fail(f"there is no arm `{arm}`; there are {', '.join(arms) or 'none'}")
    try:
        granted = Preview(
            deployment.releases.path(version).name if version else None,
            arm,
            parse_timestamp(at) if at else None,
            may_explain,
        )
        until = datetime.now(UTC) + parse_elapsed(lasts)
    except (ReleaseError, ValueError) as wrong:
        fail(str(wrong))
    token = Previews(settings.secret.get_secret_value(), deployment.release).sign(granted, until)
    click.echo(f"{NAME}={token}")


PUBLISHING: Sequence[click.Command] = (publish, rollback, history, disable, enable, preview)


def _switch(
    place: str | None, rule: str | None, experiment: str | None, folder: Path, state_dir: Path | None
) -> tuple[Deployment, Switch | None]:
    deployment = Deployment(folder, settings_of(folder, state_dir=state_dir))
    if experiment is not None:
        if place is not None or rule is not None:
            fail("name a slot or an experiment, not both")
        return deployment, Switch(experiment=experiment)
    if place is None:
        return deployment, None
    page, _, slot = place.partition("/")
    return deployment, Switch(page=page, slot=slot, rule=rule)


def _arms(deployment: Deployment, version: str | None) -> list[str]:
    """Return the arms that a version can show."""
    site = deployment.release(version) if version else deployment.load(deployment.served()).site
    return sorted({arm for page in site.pages.values() for plan in page.plans for arm in plan.forced}) if site else []


def _tell(entry: Entry) -> None:
    added = sum(line.startswith("+") and not line.startswith("+++") for line in entry.diff.splitlines())
    removed = sum(line.startswith("-") and not line.startswith("---") for line in entry.diff.splitlines())
    before = f", before it {entry.previous[:12]}" if entry.previous else ""
    click.echo(f"{entry.version[:12]} is live{before} (+{added} −{removed} lines)")
