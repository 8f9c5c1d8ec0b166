"""How long four fragments take to render: a hero, a rail of twelve items, a nested navigation, a page of includes.

Each is written once in Liquid and once in Jinja (`support/fragments`); all engines escape what they write and must
write the same bytes, or there is no result. They take turns, and a figure is the median of the ratios within a turn, of
processor time, so that a noisy machine does little to it.
"""

import json
from collections.abc import Mapping
from statistics import median
from time import process_time

from support.fragment_inputs import inputs
from support.renderers import (
    FLOOR,
    FRAGMENTS,
    JINJA,
    JINJA2,
    LIQUID,
    MINIJINJA,
    PYTHON_LIQUID,
    SANDBOX,
    Render,
    renderers,
)

ROUNDS = 15
SLICE_S = 0.02


def repeats(render: Render) -> int:
    """How often to render in one turn: for about as long as a slice, after a warm-up."""
    values, count = inputs(), 1
    while True:
        began = process_time()
        for _ in range(count):
            render(values)
        if process_time() - began > SLICE_S:
            return count
        count *= 2


def turns(renders: Mapping[str, Render]) -> dict[str, list[float]]:
    """Seconds for one render, by engine, one figure for each turn."""
    values = inputs()
    counts = {name: repeats(render) for name, render in renders.items()}
    seconds: dict[str, list[float]] = {name: [] for name in renders}
    for _ in range(ROUNDS):
        for name, render in renders.items():
            began = process_time()
            for _ in range(counts[name]):
                render(values)
            seconds[name].append((process_time() - began) / counts[name])
    return seconds


def ratio(seconds: Mapping[str, list[float]], name: str, to: str) -> float:
    """How many times as long one engine takes as another."""
    return median(one / other for one, other in zip(seconds[name], seconds[to], strict=True))


def main() -> None:
    """Measure, print a table, and one JSON line."""
    engines = renderers()
    measured = {}
    for fragment in FRAGMENTS:
        renders = {name: make(fragment) for name, make in engines.items()}
        texts = {name: render(inputs()) for name, render in renders.items()}
        wrong = [name for name, text in texts.items() if text != texts[FLOOR]]
        assert not wrong, f"{fragment} is another text from {wrong}"
        measured[fragment] = turns(renders)
    print(f"{'µs a render, and times the f-strings':34}" + "".join(f"{fragment:>18}" for fragment in FRAGMENTS))
    for name in engines:
        cells = [
            f"{median(measured[fragment][name]) * 1e6:10,.0f}{ratio(measured[fragment], name, FLOOR):7.2f}×"
            for fragment in FRAGMENTS
        ]
        print(f"{name:34}" + "".join(cells))
    figures = {
        "liquid_vs_python_liquid_min": min(ratio(each, PYTHON_LIQUID, LIQUID) for each in measured.values()),
        "liquid_vs_jinja2_min": min(ratio(each, JINJA2, LIQUID) for each in measured.values()),
        "liquid_vs_minijinja_max": max(ratio(each, LIQUID, MINIJINJA) for each in measured.values()),
        "jinja_vs_stock_min": min(ratio(each, SANDBOX, JINJA) for each in measured.values()),
    }
    print(json.dumps({name: round(figure, 2) for name, figure in figures.items()}))


if __name__ == "__main__":
    main()
