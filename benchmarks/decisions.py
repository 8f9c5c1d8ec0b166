"""How long it takes to decide a slot that has 100, 1,000 or 10,000 rules, and what two other engines take for 1,000.

Each rule asks for a segment (one in four for its absence) and tests facts for equality, membership and range; one in
ten has a window, one in ten a recency condition. Few visitors match, and those late. Every visitor is a new context,
decided once, at a moment of its own, with one fact in ten unknown; nothing is memoized, and segments are part of what
is timed. Where all facts are known, the other engines must decide alike, or there is no result.
"""

import json
import math
import os
import statistics
import subprocess
import sys
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, perf_counter_ns
from typing import Any, TypeVar

from support.draw import Rule, Segment, draw_rule, draw_segment, draw_visitor, page_text, write_site
from support.engines import ENGINES

from tessera.renderer.engines.base import Limits
from tessera.renderer.loader import SiteLoader
from tessera.rules.compile import Matcher, compile_slot
from tessera.rules.diagnostics import render_text
from tessera.rules.evaluate import Decision
from tessera.rules.load import load_ruleset
from tessera.rules.ruleset import Ruleset

T = TypeVar("T")

PAGE, SLOT = "home", "hero"
COUNTS = (100, 1_000, 10_000)
COMPARED_RULES = 1_000
SEGMENTS = 200
ROUNDS = 5
VISITORS = 2_000
COMPARED_VISITORS = 100
UNKNOWN_SHARE = 0.1


def timed(action: Callable[[], T]) -> tuple[T, float]:
    """What the action returns, and the seconds that it takes."""
    start = perf_counter()
    result = action()
    return result, perf_counter() - start


def median_us(decide: Callable[[Any], Any], contexts: Sequence[Any]) -> float:
    """The median of the microseconds for each context, each decided once."""
    spent = []
    for context in contexts:
        start = perf_counter_ns()
        decide(context)
        spent.append(perf_counter_ns() - start)
    return statistics.median(spent) / 1_000


def load(folder: Path) -> Ruleset:
    loaded = load_ruleset(folder / "rules", folder)
    if loaded.ruleset is None:
        sys.exit(render_text(loaded.diagnostics[:10], loaded.sources))
    return loaded.ruleset


def decide(matcher: Matcher, context: tuple[dict[str, Any], datetime]) -> Decision:
    """Decide for some facts at some moment."""
    return matcher.decide(*context)


def deciding_us(matchers: Mapping[int, Matcher], random: Random) -> Iterator[tuple[int, float, float]]:
    """For each matcher its number of rules, the median time in the best of some rounds, and the share that matches."""
    medians: defaultdict[int, list[float]] = defaultdict(list)
    matched: Counter[int] = Counter()
    for _ in range(ROUNDS):  # in turn, so that whatever else the machine does befalls all alike
        for count, matcher in matchers.items():
            visitors = [draw_visitor(random, UNKNOWN_SHARE) for _ in range(VISITORS)]
            contexts = [(visitor.tessera(), visitor.now) for visitor in visitors]
            medians[count].append(median_us(partial(decide, matcher), contexts))
            matched[count] += sum(matcher.decide(*context).rule is not None for context in contexts)
    for count in matchers:
        yield count, min(medians[count]), matched[count] / (ROUNDS * VISITORS)


def compare(matcher: Matcher, rules: Sequence[Rule], random: Random) -> Iterator[tuple[str, float]]:
    """Each of the other engines that is installed, with its median time."""
    known = [draw_visitor(random, 0.0) for _ in range(COMPARED_VISITORS)]
    fresh = [draw_visitor(random, UNKNOWN_SHARE) for _ in range(COMPARED_VISITORS)]
    for name, build in ENGINES.items():
        try:
            theirs = build(rules)
        except ModuleNotFoundError:
            print(f"{name} is not installed: pip install tessera[bench]")
            continue
        for visitor in known:
            rule, their_rule = matcher.decide(visitor.tessera(), visitor.now).rule, theirs(visitor.flat())
            if rule != their_rule:
                sys.exit(f"{name} decides {their_rule}, not {rule}, for {visitor}")
        yield name, median_us(theirs, [visitor.flat() for visitor in fresh])


def check(folder: Path) -> None:
    """Run `tessera check`, as an author does."""
    environment = {**os.environ, "TESSERA_SECRET": "a secret for benchmarks only"}
    subprocess.run(
        [sys.executable, "-m", "tessera", "check", "--site", folder],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
    )


def recheck_s(folder: Path, segments: Sequence[Segment], rules: Sequence[Rule]) -> float:
    """The seconds from an edit of one rule, out of as many files as it has rules, to the complaints about all."""
    size = math.isqrt(len(rules))
    pages = {f"page{first // size}": rules[first : first + size] for first in range(0, len(rules), size)}
    write_site(folder, segments, pages)
    loader = SiteLoader(folder, ["en"], Limits())
    loader.check()
    (folder / "rules" / "page7.yaml").write_text(page_text("page7", pages["page7"][1:]))
    checked, seconds = timed(loader.check)
    if checked.ruleset is None:
        sys.exit(checked.text())
    return seconds


def memory_mib(folder: Path) -> float:
    """What a loaded ruleset and the matcher of its slot keep."""
    tracemalloc.start()
    ruleset = load(folder)
    matcher = compile_slot(ruleset, PAGE, SLOT)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del matcher
    return used / (1 << 20)


def main() -> None:
    """Measure, print a table, and one JSON line."""
    random = Random(20261124)
    segments = [draw_segment(random, f"s{number}") for number in range(SEGMENTS)]
    rules = [draw_rule(random, segments) for _ in range(max(COUNTS))]
    with TemporaryDirectory() as name:
        matchers: dict[int, Matcher] = {}
        for count in COUNTS:
            folder = Path(name, str(count))
            write_site(folder, segments, {PAGE: rules[:count]})
            matchers[count], compile_s = timed(partial(compile_slot, load(folder), PAGE, SLOT))
        _, check_s = timed(partial(check, folder))
        recheck = recheck_s(Path(name, "files"), segments, rules)
        memory = memory_mib(folder)
    us: dict[int, float] = {}
    for count, us[count], matched in deciding_us(matchers, random):
        print(f"{count:6,} rules: {us[count]:8.2f} us, {matched:.0%} of visitors match")
    ratios: dict[str, int] = {}
    for engine, engine_us in compare(matchers[COMPARED_RULES], rules[:COMPARED_RULES], random):
        ratios[engine] = round(engine_us / us[COMPARED_RULES])
        print(f"{COMPARED_RULES:6,} rules: {engine_us:8.0f} us with {engine}, {ratios[engine]:,} times as long")
    print(f"10,000 rules are checked in {check_s:.2f} s, in {recheck:.2f} s after an edit of one file out of 100,")
    print(f"compiled in {compile_s:.2f} s, and kept in {memory:.0f} MiB")
    figures = {
        "rules_10000_vs_100": round(us[10_000] / us[100], 2),
        "rules_10000_us": round(us[10_000], 2),
        "vs_growthbook_1000": ratios.get("growthbook"),
        "vs_zen_1000": ratios.get("zen"),
        "compile_10000_s": round(compile_s, 2),
        "check_10000_s": round(check_s, 2),
        "recheck_one_file_s": round(recheck, 2),
        "memory_10000_mib": round(memory),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
