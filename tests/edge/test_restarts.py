"""Workers that restart one by one behind the real nginx, while visitors ask."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from tests.support.ports import free_port, wait_for
from tests.support.programs import needs
from tests.support.sites import write_site

TOKEN = "a token for operators only"
PAGE = "page: home\nslots:\n  hero: {default: {template: hero.liquid}}\n"
COUNTED = 'tessera_requests_total{route="fragments",status="200"}'


def metric(admin: int, line: str) -> float:
    told = httpx.get(f"http://127.0.0.1:{admin}/-/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert told.status_code == 200, told.text
    found = re.search(rf"^{re.escape(line)} (\S+)$", told.text, re.MULTILINE)
    assert found, told.text
    return float(found[1])


def test_no_request_is_lost_and_no_count_while_workers_restart(tmp_path: Path) -> None:
    nginx = needs("nginx", "nginx")
    port, admin, front = free_port(), free_port(), free_port()
    site = write_site(tmp_path / "site", {"home.yaml": PAGE}, {"hero.liquid": "<p>hero</p>"})
    command = [
        sys.executable,
        "-P",
        "-m",
        "tessera",
        "serve",
        "--site",
        str(site),
        "--port",
        str(port),
        "--workers",
        "2",
    ]
    environment = {
        **os.environ,
        "TESSERA_SECRET": "a secret for tests only",
        "TESSERA_ADMIN__PORT": str(admin),
        "TESSERA_ADMIN_TOKEN": TOKEN,
    }
    (tmp_path / "nginx.conf").write_text(
        f"""{"user root;" if os.geteuid() == 0 else ""}
        daemon off; worker_processes 1; pid {tmp_path}/pid; error_log stderr; events {{}}
        http {{
          access_log off;
          upstream tessera {{ server 127.0.0.1:{port}; keepalive 8; }}
          server {{
            listen 127.0.0.1:{front};
            location / {{ proxy_pass http://tessera; proxy_http_version 1.1; proxy_set_header Connection ""; }}
          }}
        }}"""
    )
    server = subprocess.Popen([*command, "--state-dir", str(tmp_path / "state")], env=environment)
    proxy = subprocess.Popen([nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")])
    statuses: list[int] = []
    stop = threading.Event()

    def visit() -> None:
        with httpx.Client() as client:
            while not stop.is_set():
                statuses.append(client.get(f"http://127.0.0.1:{front}/fragments/home/hero").status_code)
                time.sleep(0.01)

    visitors = [threading.Thread(target=visit) for _ in range(3)]
    try:
        wait_for(front)
        until = time.monotonic() + 90
        while not ready(port) or metric(admin, "tessera_workers") < 2:
            assert time.monotonic() < until
            time.sleep(0.1)
        for visitor in visitors:
            visitor.start()
        before = workers(server.pid)
        server.send_signal(signal.SIGHUP)
        while workers(server.pid) & before or len(statuses) <= 100:
            assert time.monotonic() < until + 90
            time.sleep(0.1)
        stop.set()
        for visitor in visitors:
            visitor.join()
        assert len(workers(server.pid)) == 2
        assert set(statuses) == {200}
        until = time.monotonic() + 5  # a worker that is not asked tells its counts each second
        while metric(admin, COUNTED) != len(statuses):
            assert time.monotonic() < until, (metric(admin, COUNTED), len(statuses))
            time.sleep(0.1)
        assert metric(admin, "tessera_requests_in_flight") == 0
        assert httpx.get(f"http://127.0.0.1:{port}/-/metrics").status_code == 404
        assert httpx.get(f"http://127.0.0.1:{admin}/-/metrics").status_code == 401
    finally:
        stop.set()
        proxy.terminate()
        server.terminate()
        assert proxy.wait(timeout=60) == 0
        server.wait(timeout=60)


def ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def workers(parent: int) -> set[int]:
    """The processes that serve: children of the first one, without what multiprocessing itself needs."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(each) for each in children if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()}
