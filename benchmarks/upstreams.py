"""What upstreams have to bear, what becomes of pages when they fail, and what fragments may be kept by.

Fragments of the demo shop, for a hundred thousand visitors drawn by Zipf's law, are kept by derived keys (ours), by
(slot, segment) and by (slot, visitor); every answer is compared with what a render without a cache gives that visitor.
The same visitors look at whole pages, in simulated time, and calls upstream are counted. And a real server is asked for
whole pages of a shop whose profiles and lists come over loopback sockets, from upstreams that are well, hang, fail, or
are dead. `--fragments 1000000 --pages 100000 --seconds 20` is for a machine of one's own.
"""

import argparse
import asyncio
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from support.calling import count
from support.keyings import Shoppers, compare
from support.load import Load, send
from support.servers import tessera
from support.vendors import DEAD, Vendors, settings, vendors
from support.visits import CART_SECRET, views

VISITORS = 100_000
FRAGMENTS = 20_000
PAGES = 3_000
PAGES_PER_S = 50.0
SECONDS = 4.0
WARM_UP = 500
STATES: Mapping[str, tuple[tuple[str, ...], str, float]] = {
    "healthy": ((), "answer", 1.0),
    "the recommender hangs": (("lists",), "hang", 1.0),
    "the recommender fails every second time": (("lists",), "error", 0.5),
    "all are dead": ((), DEAD, 1.0),
}
"""Which upstreams (all where none is named) behave how, for which share of the requests."""


def under(upstreams: Vendors, folder: Path, seconds: float) -> Iterator[tuple[str, Load, int]]:
    """Ask a server for pages in each state of the upstreams; yield what came of it, and how often they were asked.

    Each state has a server of its own, and the same visitors, of whom some were there while all was well.
    """
    asked = views(20_000, VISITORS)
    environment = {**settings(upstreams.urls), "TESSERA_CART_SECRET": CART_SECRET}
    for state, (names, behaviour, share) in STATES.items():
        upstreams.behave()
        with tessera(folder / behaviour, **environment) as port:
            send(port, asked[:WARM_UP], are_pages=True)
            upstreams.behave(*names, behaviour=behaviour, share=share)
            before = upstreams.calls()
            load = send(port, asked[WARM_UP:], seconds, are_pages=True)
            yield state, load, upstreams.calls() - before


def main() -> None:
    """Measure, print tables, and one JSON line."""
    options = argparse.ArgumentParser()
    options.add_argument("--fragments", type=int, default=FRAGMENTS)
    options.add_argument("--pages", type=int, default=PAGES)
    options.add_argument("--pages-per-s", type=float, default=PAGES_PER_S)
    options.add_argument("--seconds", type=float, default=SECONDS)
    chosen = options.parse_args()
    logging.getLogger("tessera").setLevel(logging.ERROR)
    crowd = Shoppers(VISITORS)
    kept = asyncio.run(compare(crowd, chosen.fragments))
    print(f"{'key of a fragment':42}{'asked':>10}{'hits':>10}{'hit ratio':>11}{'wrong':>9}")
    rows = {"derived": kept.derived, "(slot, segment)": kept.per_segment, "(slot, visitor)": kept.per_visitor}
    for name, tally in rows.items():
        print(f"{name:42}{tally.asked:10,}{tally.hits:10,}{tally.hit_ratio:11.4f}{tally.wrong:9,}")
    calls = asyncio.run(count(crowd, chosen.pages, chosen.pages_per_s))
    print(f"\ncalls upstream for 1,000 pages, at {chosen.pages_per_s:g} pages a second: {calls.ours:,};")
    print(f"    with pages cached by URL and visitor {calls.per_visitor:,}, without a cache {calls.uncached:,}")
    print(f"\n{'upstreams':42}{'pages/s':>10}{'p50 ms':>10}{'p99 ms':>11}{'broken':>9}{'calls':>9}")
    with TemporaryDirectory() as folder, vendors() as upstreams:
        for name, load, asked in under(upstreams, Path(folder), chosen.seconds):
            print(
                f"{name:42}{load.per_second:10,.0f}{load.p50_ms:10.2f}{load.p99_ms:11.2f}"
                f"{load.failures + load.leaks:9,}{asked:9,}"
            )
    figures = {
        "derived_hit_ratio": kept.derived.hit_ratio,
        "derived_wrong": kept.derived.wrong,
        "per_segment_hit_ratio": kept.per_segment.hit_ratio,
        "per_segment_wrong": kept.per_segment.wrong,
        "per_visitor_hit_ratio": kept.per_visitor.hit_ratio,
        "calls_per_1000_pages": calls.ours,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
