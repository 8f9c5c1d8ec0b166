"""`tessera serve`."""

import sys
from pathlib import Path

import click

from tessera.cli.site import fail, read_settings, report, site_option, state_option
from tessera.cli.store import cannot_keep, prepare_store
from tessera.publishing.deployment import Deployment, NotServable
from tessera.renderer.noticeboard import Noticeboard
from tessera.renderer.personas import PersonasError
from tessera.workers import run


@click.command()
@site_option
@state_option
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one.")
@click.option("--workers", type=int, help="Processes that share the port.")
@click.option("--development/--production", default=None, help="In which mode to run.")
def serve(
    folder: Path,
    state_dir: Path | None,
    host: str | None,
    port: int | None,
    workers: int | None,
    development: bool | None,
) -> None:
    """Serve a site."""
    mode = None if development is None else "development" if development else "production"
    words = {"host": host, "port": port, "workers": workers, "state_dir": state_dir, "mode": mode}
    overrides = {name: value for name, value in words.items() if value is not None}
    settings = read_settings(folder, **overrides)
    prepare_store(folder, settings)
    try:
        Noticeboard(settings.server.state_dir).close()  # without it no worker can start, and each would say so
        run(Deployment(folder, settings), overrides, lambda url: click.echo(f"{settings.site.name} is served at {url}"))
    except NotServable as broken:
        report(broken.report)
        sys.exit(1)
    except PersonasError as broken:
        fail(str(broken))
    except OSError as failure:
        if failure.filename is None:  # of a socket, so not of the state
            fail(f"{settings.site.name} cannot be served: {failure.strerror or failure}")
        cannot_keep(settings, failure)
