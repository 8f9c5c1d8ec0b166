"""How fast fragments and pages are served at home: against other servers of fragments, behind Varnish, and whole.

One worker each, on the same machine, with the same load, the same upstreams and the same HTML. Warm means visitors who
were here before, cold that each is new; cold, every visitor has a list of their own as well, so that everybody asks
upstream twice for each request. Rounds alternate, and the one in the middle counts: absolute figures depend on the
machine, ratios hardly.

Podium is a podlet on Fastify, OpenComponents a registry in production that has its component in memory; both ask
with undici over connections that are kept. Neither has a cache of what it rendered.
"""

import json
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx
from support.load import Load, send
from support.peers import RAIL, installed, peer
from support.servers import running, tessera
from support.varnish import CONFIGURATION, STATIC, varnish
from support.visits import PATH, headers, requests, settings

SECONDS = 3.0
ROUNDS = 3
VISITORS = 2_000
EDGE_VISITORS = 10_000
NEW_VISITORS = 800
PERSONAL = "/fragments/whole/personal"
PAGE = "/pages/whole"
SHARE_OF_LOAD = 0.7
DEADLINE_MS = 150
PAGES = 100

LASTING = {
    "TESSERA_EDGE__KIND": "varnish",
    "TESSERA_HTTP__MAX_AGE_S": "600",
    "TESSERA_HTTP__MAX_CONTEXT_AGE_S": "600",
    "TESSERA_PROFILES__FRESH_S": "600",
    "TESSERA_LISTS__FRESH_S": "600",
}
"""Everything outlives the run: one lifetime."""


def ratio(rounds: Sequence[tuple[Load, Load]]) -> float:
    """How many times as many requests a second the second of each pair answers: the middle of the rounds."""
    return round(median(ours.per_second / theirs.per_second for theirs, ours in rounds), 3)


def show(name: str, loads: Sequence[Load]) -> None:
    """Print the middle of some loads as a line."""
    load = sorted(loads, key=lambda each: each.per_second)[len(loads) // 2]
    failures = sum(each.failures for each in loads)
    print(f"{name:38}{load.per_second:12,.0f}{load.p50_ms:9.2f}{load.p99_ms:9.2f}{failures:9}")


def html(reply: httpx.Response) -> str:
    """Return the fragment; a registry of OpenComponents sends it within JSON."""
    return str(reply.json()["html"]) if "json" in reply.headers["content-type"] else reply.text


def against_peers(folder: Path, upstream: str) -> dict[str, float | None]:
    """Measure warm and cold, against a bare constant and whichever peers there are."""
    figures: dict[str, float | None] = {}
    warm = requests(0, VISITORS)
    new = count(1_000_000, NEW_VISITORS)
    packages = installed()
    with ExitStack() as opened:
        ours = opened.enter_context(tessera(folder, **settings(upstream)))
        page = httpx.get(f"http://127.0.0.1:{ours}{PATH}", headers=headers(warm[5]))
        floor = opened.enter_context(running("bare", BODY_BYTES=str(len(page.content))))
        send(ours, warm)
        rounds = [(send(floor, warm, SECONDS), send(ours, warm, SECONDS)) for _ in range(ROUNDS)]
        figures["warm_vs_bare_asgi"] = ratio(rounds)
        show("bare ASGI constant", [pair[0] for pair in rounds])
        show("Tessera, warm", [pair[1] for pair in rounds])
        rate = SHARE_OF_LOAD * median(pair[1].per_second for pair in rounds)
        show(f"Tessera, warm, at {SHARE_OF_LOAD:.0%} of that", [send(ours, warm, SECONDS, rate)])
        for name, path in RAIL.items():
            figures |= {f"vs_{name}_warm": None, f"vs_{name}_cold": None}
            if packages is None:
                continue
            with peer(packages, name, upstream) as theirs:
                for number in range(50):
                    asked = requests(number, 1, path)[0]
                    found = httpx.get(f"http://127.0.0.1:{theirs}{_target(asked)}", headers=headers(asked))
                    mine = httpx.get(f"http://127.0.0.1:{ours}{PATH}", headers=headers(asked))
                    assert html(found) == mine.text, f"{name} must send the same HTML"
                known = requests(0, VISITORS, path)
                rounds = [(send(theirs, known, SECONDS), send(ours, warm, SECONDS)) for _ in range(ROUNDS)]
                figures[f"vs_{name}_warm"] = ratio(rounds)
                show(f"{name}, warm", [pair[0] for pair in rounds])
                rounds = [
                    (send(theirs, requests(n, NEW_VISITORS, path)), send(ours, requests(n, NEW_VISITORS, PERSONAL)))
                    for n in [next(new) for _ in range(ROUNDS)]
                ]
                figures[f"vs_{name}_cold"] = ratio(rounds)
                show(f"{name}, cold", [pair[0] for pair in rounds])
                show("Tessera, cold", [pair[1] for pair in rounds])
    return figures


def behind_varnish(folder: Path, upstream: str) -> Mapping[str, float | None]:
    """Measure fragments through the context handshake against a static object of their size."""
    figures: dict[str, float | None] = dict.fromkeys(
        ("varnish_context_vs_static", "varnish_hit_ratio", "varnish_ideal_hit_ratio")
    )
    program = shutil.which("varnishd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None:
        print("Varnish is skipped: it is not installed")
        return figures
    folder.chmod(0o755)  # varnishd gives up being root before it reads its configuration
    asked = requests(0, EDGE_VISITORS)
    with ExitStack() as opened:
        ours = opened.enter_context(tessera(folder / "state", **settings(upstream), **LASTING))
        size = len(httpx.get(f"http://127.0.0.1:{ours}{PATH}", headers=headers(asked[5])).content)
        floor = opened.enter_context(running("bare", BODY_BYTES=str(size)))
        context = opened.enter_context(varnish(program, folder / "context", CONFIGURATION.read_text(), ours))
        static = opened.enter_context(varnish(program, folder / "static", STATIC, floor))
        loads = [send(context, asked)]
        send(static, asked)
        rounds = [(send(static, asked, SECONDS), send(context, asked, SECONDS)) for _ in range(ROUNDS)]
    loads += [pair[1] for pair in rounds]
    answers, distinct = sum(load.answers for load in loads), max(load.distinct for load in loads)
    show("Varnish, a static object", [pair[0] for pair in rounds])
    show("Varnish, first time of 10,000 visitors", loads[:1])
    show("Varnish, by context", loads[1:])
    misses = answers - sum(load.hits for load in loads)
    print(f"{misses} misses for {distinct} different outputs, in {answers:,} answers")
    return {
        "varnish_context_vs_static": ratio(rounds),
        "varnish_hit_ratio": round(1 - misses / answers, 5),
        "varnish_ideal_hit_ratio": round(1 - distinct / answers, 5),
    }


def pages(folder: Path, upstream: str) -> dict[str, float]:
    """Measure a page of eight slots: its first byte, warm, and its last while the recommender of one hangs."""
    with tessera(folder / "page", **settings(upstream)) as port:
        asked = requests(1, 1, PAGE)[0]
        _exchange(port, asked)
        first_ms = median(_exchange(port, asked)[0] for _ in range(PAGES))
    patience = {
        "TESSERA_LISTS__DEADLINE_MS": str(DEADLINE_MS),
        "TESSERA_LISTS__BREAKER_S": "0.001",  # else the list would be left alone, and nobody would wait for it
    }
    with ExitStack() as opened:
        hanging = opened.enter_context(running("upstreams", HANGS="personal"))
        asking = {**settings(f"http://127.0.0.1:{hanging}"), **patience}
        port = opened.enter_context(tessera(folder / "hung", **asking))
        _exchange(port, requests(0, 1, PAGE)[0])
        last_ms = median(_exchange(port, asked)[1] for asked in requests(1, 20, PAGE))
    print(f"a page of eight slots: first byte {first_ms:.2f} ms; while a list hangs, whole {last_ms:.1f} ms")
    return {
        "page_ttfb_ms": round(first_ms, 2),
        "page_hung_recommender_over_deadline_ms": round(last_ms - DEADLINE_MS, 1),
    }


def _target(request: bytes) -> str:
    return request.split(b" ", 2)[1].decode()


def _exchange(port: int, request: bytes) -> tuple[float, float]:
    """Send a request; returns after how many milliseconds the first byte came, and the last."""
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        began = time.perf_counter()
        connection.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        received = connection.recv(65536)
        first = time.perf_counter()
        while more := connection.recv(65536):
            received += more
        last = time.perf_counter()
    assert received.startswith(b"HTTP/1.1 200")
    assert received.rstrip().endswith(b"</html>")
    assert received.count(b'<section class="rail"') == 8
    return (first - began) * 1000, (last - began) * 1000


def main() -> None:
    """Measure, print a table, and one JSON line."""
    print(f"{'':38}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'not 200':>9}")
    with TemporaryDirectory() as name, running("upstreams") as port:
        folder, upstream = Path(name), f"http://127.0.0.1:{port}"
        figures = against_peers(folder / "state", upstream)
        figures |= behind_varnish(folder, upstream)
        figures |= pages(folder, upstream)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
