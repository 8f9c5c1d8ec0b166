"""Random Liquid templates, rendered in two ways that must agree: by python-liquid and as the catalogue renders them.

    python -m tests.renderer.engines.differential --minutes 60 --seed 1

A finding is printed with its seed, cut down to the tags that it needs. What must agree is the text that is written or,
of a fault, its message, template and line.
"""

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from tessera.renderer.engines.base import Limits, RenderError, SyntaxFault
from tessera.renderer.engines.liquid.environment import LiquidEnvironment, render_liquid
from tessera.renderer.engines.references import Resolver
from tests.renderer.engines.liquid_grammar import LiquidGrammar, data
from tests.renderer.engines.loading import load

Texts = Mapping[str, str]
Inputs = Mapping[str, object]
Render = Callable[[Inputs], str]
Maker = Callable[[Texts], Render | None]
"""Makes what renders `main.liquid` of some files, or nothing where they have a fault."""

MAIN = "main.liquid"


def interpreted(texts: Texts) -> Render | None:
    """Render by python-liquid's own tree, in our environment."""
    environment = LiquidEnvironment(Limits(), Resolver(".liquid", frozenset(texts)))
    try:
        trees = {name: environment.add(name, text) for name, text in texts.items()}
    except SyntaxFault:
        return None
    return lambda inputs: render_liquid(trees[MAIN], inputs)


def catalogued(texts: Texts) -> Render | None:
    """Render as a site does."""
    main = load(texts).catalog.templates.get(MAIN)
    return None if main is None else main.render


def outcome(render: Render, inputs: Inputs) -> str:
    """Return what a render comes to, in words."""
    try:
        return f"writes {render(inputs)!r}"
    except RenderError as error:
        return f"fails with {error.template}:{error.line}: {error.message}"


@dataclass(frozen=True)
class Difference:
    """Files and inputs of which two ways of rendering make different things."""

    texts: Texts
    inputs: Inputs
    outcomes: tuple[str, str]

    def __str__(self) -> str:
        files = "\n".join(f"{name}: {text!r}" for name, text in self.texts.items())
        return f"{files}\ninputs: {self.inputs!r}\none {self.outcomes[0]}\nother {self.outcomes[1]}"


def differing(texts: Texts, samples: Iterable[Inputs], one: Maker, other: Maker) -> Difference | None:
    """Return how two ways of rendering differ for any of some inputs, if they do and if both can read the files."""
    render_one, render_other = one(texts), other(texts)
    if render_one is None or render_other is None:
        return None
    for inputs in samples:
        outcomes = outcome(render_one, inputs), outcome(render_other, inputs)
        if outcomes[0] != outcomes[1]:
            return Difference(texts, inputs, outcomes)
    return None


def search(seed: int, one: Maker, other: Maker, samples: int = 6) -> Difference | None:
    """Render the template of a seed with some random inputs in both ways; return the first difference, cut down."""
    random = Random(seed)
    texts = LiquidGrammar(random).templates()
    found = differing(texts, [data(random) for _ in range(samples)], one, other)
    return found and cut_down(found, one, other)


def cut_down(found: Difference, one: Maker, other: Maker) -> Difference:
    """Leave out tags, texts and inputs one after another for as long as a difference remains."""
    for texts, inputs in _smaller(found):
        less = differing(texts, [inputs], one, other)
        if less is not None:
            return cut_down(less, one, other)
    return found


def _smaller(found: Difference) -> Iterator[tuple[Texts, Inputs]]:
    for name in found.inputs:
        yield found.texts, {key: value for key, value in found.inputs.items() if key != name}
    for name, text in found.texts.items():
        if name != MAIN:
            yield {key: value for key, value in found.texts.items() if key != name}, found.inputs
        pieces = re.split(r"(\{[{%].*?[}%]\})", text, flags=re.DOTALL)
        for width in (8, 4, 2, 1):
            for at in range(len(pieces) - width + 1):
                if any(pieces[at : at + width]):
                    yield {**found.texts, name: "".join(pieces[:at] + pieces[at + width :])}, found.inputs


def main(arguments: list[str]) -> int:
    """Search until the time is over; returns how many differences were found, 10 at most."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    ends, seed, found = time.monotonic() + 60 * options.minutes, options.seed, 0
    while time.monotonic() < ends and found < 10:
        try:
            difference = search(seed, interpreted, catalogued)
        except Exception:
            print(f"seed {seed} raises", flush=True)
            raise
        if difference is not None:
            found += 1
            print(f"seed {seed}\n{difference}\n", flush=True)
        seed += 1
    print(f"{seed - options.seed} templates, {found} differences")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
