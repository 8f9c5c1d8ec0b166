"""How long it takes to decide a slot that has 100, 1,000 or 10,000 rules, and what two other engines take for 1,000.

Each rule asks for a segment (one in four for its absence) and tests facts for equality, membership and range; one in
ten has a window, one in ten a recency condition. Few visitors match, and those late. Every visitor is a new context,
decided once, at a moment of its own, with one fact in ten unknown; nothing is memoized, and segments are part of what
is timed. Where all facts are known, the other engines must decide alike, or there is no result.
"""

import json
import statistics
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, perf_counter_ns
from typing import Any, TypeVar

from support.draw import Rule, draw_rule, draw_segment, draw_visitor, write_rules
from support.engines import ENGINES

from tessera.rules.compile import Matcher, compile_slot
from tessera.rules.diagnostics import render_text
from tessera.rules.load import load_ruleset
from tessera.rules.ruleset import Ruleset

T = TypeVar("T")

COUNTS = (100, 1_000, 10_000)
SEGMENTS = 200
ROUNDS = 5
VISITORS = 2_000
COMPARED_VISITORS = 100
UNKNOWN_SHARE = 0.1


def load(folder: Path) -> Ruleset:
    loaded = load_ruleset(folder, folder.parent)
    if loaded.ruleset is None:
        sys.exit(render_text(loaded.diagnostics[:10], loaded.sources))
    return loaded.ruleset


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


def deciding_us(matcher: Matcher, random: Random) -> tuple[float, float]:
    """The median time for one visitor, in the best of some rounds, and the share of visitors whom a rule matches."""
    medians, matched = [], 0
    for _ in range(ROUNDS):
        visitors = [draw_visitor(random, UNKNOWN_SHARE) for _ in range(VISITORS)]
        contexts = [(visitor.tessera(), visitor.now) for visitor in visitors]
        medians.append(median_us(lambda context: matcher.decide(*context), contexts))
        matched += sum(matcher.decide(*context).rule is not None for context in contexts)
    return min(medians), matched / (ROUNDS * VISITORS)


def compare(matcher: Matcher, rules: Sequence[Rule], random: Random) -> Iterator[tuple[str, float]]:
    """Each of the other engines that is installed, with its median time."""
    known = [draw_visitor(random, 0.0) for _ in range(COMPARED_VISITORS)]
    fresh = [draw_visitor(random, UNKNOWN_SHARE) for _ in range(COMPARED_VISITORS)]
    for name, build in ENGINES.items():
        try:
            decide = build(rules)
        except ModuleNotFoundError:
            print(f"{name} is not installed: pip install tessera[bench]")
            continue
        for visitor in known:
            ours, theirs = matcher.decide(visitor.tessera(), visitor.now).rule, decide(visitor.flat())
            if ours != theirs:
                sys.exit(f"{name} decides {theirs}, not {ours}, for {visitor}")
        yield name, median_us(decide, [visitor.flat() for visitor in fresh])


def memory_mib(folder: Path) -> float:
    """What a loaded ruleset and the matcher of its slot keep."""
    tracemalloc.start()
    ruleset = load(folder)
    matcher = compile_slot(ruleset, "home", "hero")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del matcher
    return used / (1 << 20)


def main() -> None:
    random = Random(20261124)
    segments = [draw_segment(random, f"s{number}") for number in range(SEGMENTS)]
    rules = [draw_rule(random, segments) for _ in range(max(COUNTS))]
    us: dict[int, float] = {}
    ratios: dict[str, int] = {}
    with TemporaryDirectory() as name:
        for count in COUNTS:
            folder = Path(name, str(count), "rules")
            write_rules(folder, segments, rules[:count])
            ruleset, check_s = timed(partial(load, folder))
            matcher, compile_s = timed(partial(compile_slot, ruleset, "home", "hero"))
            us[count], matched = deciding_us(matcher, random)
            print(f"{count:6,} rules: {us[count]:8.2f} us, {matched:.0%} of visitors match")
            if count == 1_000:
                for engine, engine_us in compare(matcher, rules[:count], random):
                    ratios[engine] = round(engine_us / us[count])
                    print(f"{'':13} {engine_us:8.0f} us with {engine}, {ratios[engine]:,} times as long")
        memory = memory_mib(folder)
    print(
        f"10,000 rules are read and checked in {check_s:.2f} s, compiled in {compile_s:.2f} s, kept in {memory:.0f} MiB"
    )
    figures = {
        "rules_10000_vs_100": round(us[10_000] / us[100], 2),
        "rules_10000_us": round(us[10_000], 2),
        "vs_growthbook_1000": ratios.get("growthbook"),
        "vs_zen_1000": ratios.get("zen"),
        "compile_10000_s": round(compile_s, 2),
        "check_10000_s": round(check_s, 2),
        "memory_10000_mib": round(memory),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
