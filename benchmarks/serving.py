"""How fast fragments are served: against a bare ASGI constant, and against what one would write without Tessera.

One worker each, on the same server, with the same load: 16 connections, each sending its next request when the
last is answered. Warm means that profiles are in memory and the fragment in the cache, while each request, from one of
2,000 visitors in turn, is decided anew. Cold means that each visitor is new: profile and list are asked for.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from support.load import send
from support.servers import running, tessera
from support.visits import PATH, headers, requests, settings

SECONDS = 4.0
ROUNDS = 3
VISITORS = 2_000


def start_s(state: Path) -> float:
    """Seconds from starting the demo, its store filled, to the first right page."""
    command = [sys.executable, "-m", "tessera", "serve", "--port", "0", "--state-dir", str(state)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        while True:
            try:
                reply = httpx.get(f"{address}pages/home")
            except httpx.ConnectError:
                time.sleep(0.005)
            else:
                assert reply.status_code == 200
                return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Measure, print a table, and one JSON line."""
    warm = requests(0, VISITORS)
    with TemporaryDirectory() as folder, running("upstreams") as port:
        upstream = f"http://127.0.0.1:{port}"
        with tessera(Path(folder), **settings(upstream)) as ours, running("uncached", UPSTREAM=upstream) as theirs:
            pages = [httpx.get(f"http://127.0.0.1:{each}{PATH}", headers=headers(warm[5])) for each in (ours, theirs)]
            size = str(len(pages[0].content))
            assert pages[0].text == pages[1].text, "both must send the same page"
            cold_ours = send(ours, requests(10_000, 1_500))
            cold_theirs = send(theirs, requests(10_000, 1_500))
            send(ours, warm)
            with running("bare", BODY_BYTES=size) as floor:
                rounds = [(send(floor, warm, SECONDS), send(ours, warm, SECONDS)) for _ in range(ROUNDS)]
            warm_theirs = send(theirs, warm, SECONDS)
        first_start_s = start_s(Path(folder) / "demo")
        again_s = start_s(Path(folder) / "demo")
    rounds.sort(key=lambda loads: loads[1].per_second / loads[0].per_second)
    warm_floor, warm_ours = rounds[ROUNDS // 2]
    rows = [
        ("bare ASGI constant", warm_floor),
        ("Tessera, warm", warm_ours),
        ("Starlette + Jinja2 + httpx, warm", warm_theirs),
        ("Tessera, cold", cold_ours),
        ("Starlette + Jinja2 + httpx, cold", cold_theirs),
    ]
    print(f"{'':34}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'not 200':>9}   ({size} bytes a fragment)")
    for name, load in rows:
        print(f"{name:34}{load.per_second:12,.0f}{load.p50_ms:9.2f}{load.p99_ms:9.2f}{load.failures:9}")
    print(f"start of the demo: {again_s:.2f} s, {first_start_s:.2f} s with its store to fill")
    figures = {
        "warm_vs_bare_asgi": round(warm_ours.per_second / warm_floor.per_second, 3),
        "warm_vs_uncached_starlette": round(warm_ours.per_second / warm_theirs.per_second, 2),
        "cold_vs_uncached_starlette": round(cold_ours.per_second / cold_theirs.per_second, 2),
        "start_s": round(again_s, 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    main()
