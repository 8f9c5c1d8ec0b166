"""The processes that serve: one, or several that share a port."""

import gc
import json
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from tessera.app import make_app
from tessera.connections import Connection
from tessera.publishing.deployment import Deployment
from tessera.renderer.front import App
from tessera.renderer.logs import set_up_logs
from tessera.renderer.personas import load_personas
from tessera.renderer.settings import Settings, load_settings
from tessera.renderer.tally_files import open_tally

GARBAGE_THRESHOLD = 20_000
"""Objects made before the next look for garbage. Requests leave little that is cyclic."""

START_S = 60
"""Seconds that a process may take to start, in a restart, before the one that it is to replace is kept."""

STOP_S = 10
"""Seconds for which a process that is to stop goes on answering what is in flight, at most."""

ORDER = "TESSERA_WORKER"
"""The environment variable that tells a worker what to serve: a JSON object with the folder and its server settings."""


def run(deployment: Deployment, overrides: Mapping[str, object], announce: Callable[[str], None]) -> None:
    """Serve until told to stop. ``announce`` is given the address once it is listened on.

    ``overrides`` are the server settings that outrank those of the site folder and the environment.
    """
    server = deployment.settings.server
    set_up_logs(deployment.settings)
    common: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "log_config": None,
        "timeout_graceful_shutdown": STOP_S,
        "timeout_worker_healthcheck": START_S,
        "proxy_headers": False,  # who asks is told by cookies and the edge's secret, never by an address
        "lifespan": "on",
        "http": partial(Connection, request_s=server.request_s, max_head_bytes=server.max_head_bytes),
    }
    if server.workers == 1:
        config = uvicorn.Config(application(deployment), **common)
        _Announcing(config, announce).run([config.bind_socket(), *_administrative(deployment.settings)])
        return
    if deployment.settings.secret is None:  # in development one is drawn: the same one for all workers
        os.environ["TESSERA_SECRET"] = secrets.token_hex()
    os.environ[ORDER] = json.dumps({"folder": str(deployment.folder), "server": overrides}, default=str)
    config = uvicorn.Config("tessera.workers:ordered", factory=True, workers=server.workers, **common)
    listener = config.bind_socket()
    announce(_address(listener))
    Multiprocess(config, [listener, *_administrative(deployment.settings)]).run()


def application(deployment: Deployment) -> App:
    """Make the application of this process. Raises `NotServable`, `PersonasError`, and OSError."""
    live, personas = deployment.live_site(), load_personas(deployment.folder)
    tally = open_tally(deployment.settings.server.state_dir)
    app = make_app(deployment.settings, live, personas, find=deployment.release, tally=tally)
    gc.freeze()  # what was loaded stays; looking through it again and again takes a tenth of the time of requests
    gc.set_threshold(GARBAGE_THRESHOLD)
    return app


def ordered() -> App:
    """Make the application that `run` ordered, in a process of its own."""
    order = json.loads(os.environ[ORDER])
    folder = Path(order["folder"])
    settings = load_settings(folder, server=order["server"])
    set_up_logs(settings)
    return application(Deployment(folder, settings))


class _Announcing(uvicorn.Server):
    """Says where it serves, once it does."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[str], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets:
            self._announce(_address(sockets[0]))


def _administrative(settings: Settings) -> list[socket.socket]:
    """Listen for the administrative routes, where they have a port of their own. Raises OSError."""
    if settings.admin.port is None:
        return []
    address = settings.admin.host, settings.admin.port
    listener = socket.create_server(address, family=socket.AF_INET6 if ":" in settings.admin.host else socket.AF_INET)
    listener.set_inheritable(True)
    return [listener]


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}/"
