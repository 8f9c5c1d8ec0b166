"""`tessera disable` and `tessera enable`."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tessera.cli.site import fail, read_settings, site_option, state_option, story, tell_all
from tessera.publishing.deployment import Deployment
from tessera.publishing.switchboard import Thrown
from tessera.renderer.core.notices import Notice
from tessera.rules.switches import Switch, unknown


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
    thrown = Thrown(switch._asdict(), datetime.now(UTC).isoformat(), by, why)
    deployment.switchboard.put(thrown)
    tell_all(deployment.settings, Notice("disable", switch=asdict(thrown)))
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
    thrown = Thrown(switch._asdict(), datetime.now(UTC).isoformat(), "", "")
    tell_all(deployment.settings, Notice("enable", switch=asdict(thrown)))
    click.echo(f"{switch} is on")


def _switch(
    place: str | None, rule: str | None, experiment: str | None, folder: Path, state_dir: Path | None
) -> tuple[Deployment, Switch | None]:
    deployment = Deployment(folder, read_settings(folder, state_dir=state_dir))
    if experiment is not None:
        if place is not None or rule is not None:
            fail("name a slot or an experiment, not both")
        return deployment, Switch(experiment=experiment)
    if place is None:
        return deployment, None
    page, _, slot = place.partition("/")
    return deployment, Switch(page=page, slot=slot, rule=rule)
