"""`tessera openapi`."""

import json
from pathlib import Path

import click

from tessera.app import describe_routes
from tessera.cli.site import offline_settings, open_site, site_option
from tessera.renderer.reload import LiveSite


@click.command()
@site_option
def openapi(folder: Path) -> None:
    """Print all routes of a site, as OpenAPI describes them."""
    settings = offline_settings(folder)
    click.echo(json.dumps(describe_routes(settings, LiveSite.fixed(open_site(folder, settings))), indent=2))
