"""`tessera preview`."""

from datetime import UTC, datetime
from pathlib import Path

import click

from tessera.cli.site import fail, read_settings, site_option, state_option
from tessera.publishing.deployment import Deployment
from tessera.publishing.releases import ReleaseError
from tessera.renderer.previews import NAME, Preview, Previews
from tessera.rules.values import parse_elapsed, parse_timestamp


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
    settings = read_settings(folder, state_dir=state_dir)
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


def _arms(deployment: Deployment, version: str | None) -> list[str]:
    """Return the arms that a version can show."""
    site = deployment.release(version) if version else deployment.load(deployment.served()).site
    return sorted({arm for page in site.pages.values() for plan in page.plans for arm in plan.forced}) if site else []
