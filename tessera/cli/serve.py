"""`tessera serve`."""

import gc
import logging
import socket
from pathlib import Path

import click
import uvicorn

from tessera.app import make_app
from tessera.cli.site import fail, load, open_site, prepare_store, read_settings, site_option, state_option
from tessera.renderer.personas import PersonasError, load_personas
from tessera.renderer.reload import LiveSite

GARBAGE_THRESHOLD = 20_000
"""Objects made before the next look for garbage. Requests leave little that is cyclic."""


@click.command()
@site_option
@state_option
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one.")
@click.option("--development/--production", default=None, help="In which mode to run.")
def serve(folder: Path, state_dir: Path | None, host: str | None, port: int | None, development: bool | None) -> None:
    """Serve a site."""
    mode = None if development is None else "development" if development else "production"
    settings = read_settings(folder, host=host, port=port, state_dir=state_dir, mode=mode)
    site = open_site(folder, settings)
    try:
        personas = load_personas(folder)
    except PersonasError as broken:
        fail(str(broken))
    prepare_store(folder, settings)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    reload = (lambda: load(folder, settings)) if settings.server.mode == "development" else None
    config = uvicorn.Config(
        make_app(settings, LiveSite(site, reload), personas),
        host=settings.server.host,
        port=settings.server.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who asks is told by cookies and the edge's secret, never by an address
        lifespan="on",
    )
    gc.freeze()  # what was loaded stays; looking through it again and again takes a tenth of the time of requests
    gc.set_threshold(GARBAGE_THRESHOLD)
    listener = config.bind_socket()
    _Announcing(config, settings.site.name).run([listener])


class _Announcing(uvicorn.Server):
    """Says where it serves, once it does."""

    def __init__(self, config: uvicorn.Config, name: str) -> None:
        super().__init__(config)
        self._name = name

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            click.echo(f"{self._name} is served at http://{host}:{port}/")
