"""What else fails beside upstreams: Redis, and a worker behind nginx. Both are killed while pages are asked for."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx

from support.canaries import is_whole
from support.load import Load, send
from support.vendors import settings, vendors
from support.visits import CART_SECRET, SHOP, headers, request, requests, views
from support.watched import watched

STARTS_WITHIN_S = 60.0
VISITORS = 500
WARM_UP = 100
READERS = 8
NGINX = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{}}
http {{
  access_log off;
  proxy_temp_path {folder}/proxy;
  upstream tessera {{
    {servers}
    keepalive 32;
    keepalive_timeout 4s;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://tessera;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream error timeout;
    }}
  }}
}}
"""
"""Each worker is a server of its own, as in docs/operating.md, so that nginx asks the other again where one is gone."""


@dataclass(frozen=True)
class Killed:
    """What came of a worker's death: buffered pages, fragments, and of streamed pages how many were cut off."""

    pages: Load
    fragments: Load
    streamed: int
    cut: int


def redis_killed(folder: Path, seconds: float, rate: float) -> Load | None:
    """Kill Redis after a third of the time, start it again after two; None where there is no Redis to kill."""
    program = _program("redis-server")
    if program is None:
        return None
    port = _free_port()
    command = [program, "--port", str(port), "--dir", str(folder), "--save", "", "--loglevel", "warning"]
    environment = {"TESSERA_REDIS__URL": f"redis://127.0.0.1:{port}/0", "TESSERA_CART_SECRET": CART_SECRET}
    with (
        vendors() as upstreams,
        ThreadPoolExecutor(1) as aside,
        _running(command, port) as redis,
        watched(folder / "state", **settings(upstreams.urls, fresh_s=1), **environment) as server,
    ):
        asked = views(5_000, VISITORS)
        send(server.port, asked[:WARM_UP])
        load = aside.submit(lambda: send(server.port, asked, seconds, rate, connections=64, are_pages=True))
        time.sleep(seconds / 3)
        redis.kill()
        time.sleep(seconds / 3)
        with _running(command, port):
            return load.result()


def worker_killed(folder: Path, seconds: float, rate: float) -> Killed | None:
    """Kill one of two workers behind nginx after half of the time; None where there is no nginx.

    Half of the ``rate`` are fragments, half buffered pages; besides, some readers have pages streamed to them all the
    time, by visitors whose lists take a moment.
    """
    program = _program("nginx")
    if program is None:
        return None
    with vendors() as upstreams, ExitStack() as opened:
        environment = {**settings(upstreams.urls), "TESSERA_CART_SECRET": CART_SECRET}
        servers = [opened.enter_context(watched(folder / name, **environment)) for name in ("one", "two")]
        port = opened.enter_context(_nginx(program, folder, [server.port for server in servers]))
        aside = opened.enter_context(ThreadPoolExecutor(2 + READERS))
        upstreams.behave(behaviour="slow")
        until_s, new = time.monotonic() + seconds, count(VISITORS)
        pages, known = views(5_000, VISITORS), requests(0, VISITORS)
        buffered = aside.submit(lambda: send(port, pages, seconds, rate / 2, connections=64, are_pages=True))
        fragments = aside.submit(lambda: send(port, known, seconds, rate / 2, connections=64))
        streams = [aside.submit(lambda: _read_on(port, new, until_s)) for _ in range(READERS)]
        time.sleep(seconds / 2)
        os.kill(servers[0].pid, signal.SIGKILL)
        streamed, cut = (sum(each) for each in zip(*(stream.result() for stream in streams), strict=True))
        return Killed(buffered.result(), fragments.result(), streamed, cut)


def _read_on(port: int, new: Iterator[int], until_s: float) -> tuple[int, int]:
    """Read streamed pages until a moment, and two at least; return how many, and how many of them were cut off."""
    whole = cut = 0
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", verify=False) as client:
        while time.monotonic() < until_s or whole + cut < 2:
            try:
                page = client.get(SHOP + "?compose=stream", headers=headers(request(next(new), SHOP)))
            except httpx.RemoteProtocolError:
                cut += 1
            else:
                whole += page.status_code == 200 and is_whole(page.content)
                cut += page.status_code != 200 or not is_whole(page.content)
    return whole + cut, cut


@contextmanager
def _nginx(program: str, folder: Path, servers: Sequence[int]) -> Iterator[int]:
    port = _free_port()
    listed = " ".join(f"server 127.0.0.1:{each} max_fails=0;" for each in servers)
    user = "user root;" if os.geteuid() == 0 else ""  # the folder is only its owner's to read
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, servers=listed, port=port, user=user))
    with _running([program, "-p", str(folder), "-c", str(folder / "nginx.conf")], port):
        yield port


@contextmanager
def _running(command: Sequence[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the end of the block, or until it is killed."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield process
    finally:
        process.terminate()
        process.wait()


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    until_s = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.02)
        else:
            return
