"""A fault laboratory: whole pages are asked for, by the clock, while upstreams misbehave in every way we know of.

A real server asks upstreams on loopback sockets for profiles and lists (over TLS); what they answer lasts for a second.
A load of half of what the server was measured to bear just before comes by the clock, whatever becomes of it: machines
that others share are twice as fast in one minute as in the next. One after the other each upstream alone, and all
together, misbehave and are well again. Each page is looked at: is it whole, and are the canaries in it those of the
visitor who asked? So is the server: its memory, sockets and tasks, before and after.

Stood in are pages that say so, as part of them is older than it should be, or a default, or empty. All is well when a
visitor who was never seen gets a page that lacks nothing; the window is how long an upstream is left alone, and what
a last attempt before that may take. In the end Redis is killed and started again under load, and one of two workers
behind nginx is killed. `--each --fault-s 10` is for a machine of one's own.
"""

import argparse
import json
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx
from support.faulty import BEHAVIOURS
from support.load import Load, quantile, send
from support.outages import redis_killed, worker_killed
from support.vendors import AUTHORITY, DEAD, NAMES, UNTRUSTED, Vendors, settings, vendors
from support.visits import CART_SECRET, SHOP, headers, request, views
from support.watched import Census, Watched, watched

VISITORS = 2_000
BUDGET_MS = 200
DEADLINE_MS = 150
RETRY_MS = 200
BREAKER_S = 0.5
WINDOW_S = BREAKER_S + (DEADLINE_MS + RETRY_MS) / 1000
CONNECTIONS = 128
SHARE_OF_LOAD = 0.5
LEAD_S = 0.3
"""How long a load is under way before a fault begins."""

FAULT_S = 0.6
CAPACITY_S = 1.0
OUTAGE_S = 3.0
GIVE_UP_S = 10.0
TOGETHER = "together"
WELL = "answer"
FAULTS = (*(name for name in BEHAVIOURS if name != WELL), DEAD, UNTRUSTED)


@dataclass(frozen=True)
class Row:
    """What came of one fault, after how many seconds all was well (infinite where it was not), what the server had."""

    who: str
    behaviour: str
    load: Load
    recovered_s: float
    after: Census


@dataclass(frozen=True)
class Findings:
    """What came of all of them, how many pages a second were asked for, and what the server has grown by."""

    loads: Sequence[Load]
    rate: float
    memory_growth_mib: float


class Laboratory:
    """A server, its upstreams, and visitors who ask for pages."""

    def __init__(self, server: Watched, upstreams: Vendors) -> None:
        self._server = server
        self._upstreams = upstreams
        self._new = count(VISITORS)
        self._views = views(20_000, VISITORS)
        self.rates: list[float] = []

    def warm_up(self) -> None:
        """Let every visitor come by, in good times and in bad ones."""
        everybody = [request(number, SHOP) for number in range(VISITORS)]
        send(self._server.port, everybody, are_pages=True)
        for behaviour in ("hang", "bomb", "endless"):  # after which memory is what it may come to
            self._upstreams.behave(behaviour=behaviour)
            send(self._server.port, self._views, FAULT_S, connections=CONNECTIONS)
        self._upstreams.behave()
        self._until_well()

    def fault(self, who: str, behaviour: str, fault_s: float) -> Row:
        """Have an upstream, or all together, misbehave for some seconds under load, and wait until all is well."""
        names = NAMES if who == TOGETHER else (who,)
        most = send(self._server.port, self._views, CAPACITY_S, are_pages=True).per_second
        self.rates.append(SHARE_OF_LOAD * most)
        seconds = LEAD_S + fault_s + WINDOW_S
        with ThreadPoolExecutor(1) as aside:
            load = aside.submit(lambda: self._ask_for(seconds))
            time.sleep(LEAD_S)
            self._upstreams.behave(*names, behaviour=behaviour)
            time.sleep(fault_s)
            self._upstreams.behave()
            recovered_s = self._until_well()
            return Row(who, behaviour, load.result(), recovered_s, self._server.census())

    def _ask_for(self, seconds: float) -> Load:
        return send(self._server.port, self._views, seconds, self.rates[-1], connections=CONNECTIONS, are_pages=True)

    def _until_well(self) -> float:
        """Ask as new visitors until one gets all that there is for them; return after how many seconds."""
        began_s = time.monotonic()
        with httpx.Client(base_url=f"http://127.0.0.1:{self._server.port}") as client:
            while (took_s := time.monotonic() - began_s) < GIVE_UP_S:
                page = client.get(SHOP, headers=headers(request(next(self._new), SHOP)))
                if page.status_code == 200 and "tessera-fallback" not in page.headers:
                    return took_s
                time.sleep(0.01)
        return float("inf")


def faults(only: Collection[str], *, each: bool) -> Iterator[tuple[str, str]]:
    """Yield who is to misbehave, and how: all together, and one upstream after the other, or (each) every one alone."""
    turns = cycle(NAMES)
    for behaviour in [name for name in FAULTS if name in only]:
        alone = ("lists",) if behaviour == UNTRUSTED else NAMES if each else (next(turns),)
        for who in alone:
            yield who, behaviour
        yield TOGETHER, behaviour


COLUMNS = ("pages", "stood in", "broken", "leaks", "p50 ms", "p99.9 ms", "well after s", "MiB", "sockets", "tasks")


def shown(row: Row) -> Row:
    """Print what came of a fault, and return it."""
    load, after = row.load, row.after
    print(
        f"{row.who:10}{row.behaviour:10}{load.answers:8,}{load.fallbacks:9,}{load.failures:7}{load.leaks:6}"
        f"{load.p50_ms:7.1f}{quantile(load.latencies_ms, 0.999):9.1f}{row.recovered_s:13.2f}"
        f"{after.memory_mib:6.0f}{after.sockets:8}{after.tasks:6}",
        flush=True,
    )
    return row


def in_laboratory(folder: Path, tried: Iterable[tuple[str, str]], fault_s: float) -> Findings:
    """Try these faults, and print what came of them and of the server."""
    patience = {"deadline_ms": DEADLINE_MS, "retry_ms": RETRY_MS, "breaker_s": BREAKER_S}
    lasting = {"fresh_s": 1, "stale_s": 0, "grace_s": 2, "max_connections": 30}
    with vendors(folder) as upstreams:
        environment = settings(upstreams.urls, **patience, **lasting) | {
            "TESSERA_CART_SECRET": CART_SECRET,
            "TESSERA_SERVER__BUDGET_MS": str(BUDGET_MS),
            "SSL_CERT_FILE": str(folder / AUTHORITY),
        }
        with watched(folder / "laboratory", **environment) as server:
            laboratory = Laboratory(server, upstreams)
            laboratory.warm_up()
            before = server.census()
            print(f"{'upstream':10}{'fault':10}{'pages':>8}", *COLUMNS[1:])
            rows = [shown(laboratory.fault(*each, fault_s)) for each in tried]
            after = rows[-1].after
            tracebacks = server.log.read_text().count("\nTraceback ")
    rate = median(laboratory.rates)
    print(f"{rate:,.0f} pages a second in the middle of the rows, {SHARE_OF_LOAD:.0%} of what there can be, ", end="")
    print(f"{min(laboratory.rates):,.0f} to {max(laboratory.rates):,.0f}")
    print(f"well again after {max(row.recovered_s for row in rows):.2f} s at most, in a window of {WINDOW_S:.2f} s")
    print(f"memory {before.memory_mib:.1f} MiB, in the end {after.memory_mib:.1f}; ", end="")
    print(f"sockets {before.sockets}, {after.sockets}; tasks {before.tasks}, {after.tasks}; ", end="")
    print(f"tracebacks in the log {tracebacks}")
    return Findings([row.load for row in rows], rate, after.memory_mib - before.memory_mib)


def outages(folder: Path, rate: float) -> Iterator[Load]:
    """Kill Redis, and a worker; print and yield what came of it. What is not installed is skipped."""
    for each in ("redis", "nginx"):
        (folder / each).mkdir()
    redis = redis_killed(folder / "redis", OUTAGE_S, rate)
    if redis is None:
        print("Redis is skipped: it is not installed")
    else:
        print(f"Redis killed and started again: {redis.answers:,} pages, {redis.failures} broken")
        yield redis
    killed = worker_killed(folder / "nginx", OUTAGE_S, rate)
    if killed is None:
        print("the worker behind nginx is skipped: nginx is not installed")
    else:
        print(
            f"one of two workers killed: {killed.pages.answers:,} buffered pages, {killed.pages.failures} broken; ",
            end="",
        )
        print(f"{killed.fragments.answers:,} fragments, {killed.fragments.failures} broken; ", end="")
        print(f"{killed.streamed:,} streamed pages, {killed.cut} cut off")
        yield from (killed.pages, killed.fragments)


def main() -> None:
    """Measure, print tables, and one JSON line."""
    options = argparse.ArgumentParser()
    options.add_argument("--each", action="store_true", help="have every upstream misbehave alone in every way")
    options.add_argument("--fault-s", type=float, default=FAULT_S, help="seconds that each fault lasts")
    options.add_argument("--only", nargs="+", choices=FAULTS, default=FAULTS, help="these faults alone")
    chosen = options.parse_args()
    tried = [(TOGETHER, WELL), *faults(chosen.only, each=chosen.each)]
    with TemporaryDirectory() as name:
        found = in_laboratory(Path(name), tried, chosen.fault_s)
        killed = list(outages(Path(name), found.rate))
    loads = [*found.loads, *killed]
    answers, failures = sum(load.answers for load in loads), sum(load.failures for load in loads)
    latencies_ms = sorted(latency for load in found.loads for latency in load.latencies_ms)
    figures = {
        "valid_share": round(1 - failures / answers, 6),
        "p999_over_budget_ms": round(quantile(latencies_ms, 0.999) - BUDGET_MS, 1),
        "faults": len(loads) - 1,
        "requests": answers,
        "leaks": sum(load.leaks for load in loads),
        "memory_growth_mib": round(found.memory_growth_mib, 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
