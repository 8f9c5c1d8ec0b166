"""Whether the boxes of earlier rules cover a way: whether everybody in it was taken before.

A visitor in the way is looked for whom no box holds. Where one box holds the visitor at hand, what it leaves over of
the way is looked through next; when nothing is left, the way is covered. Boxes are found by the classes that they let
through on one axis, and a visitor is chosen with classes that no box lets through, where there are such. A box that is
bounded on other axes than those on which the visitor had to be chosen cannot hold them. So most ways are done with at
the first visitor.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tessera.rules.proof.axes import Axes
from tessera.rules.proof.ways import Way, meet
from tessera.rules.ruleset import Rule

MAX_PIECES = 100
"""Into how many pieces a way may be cut before the question is left open."""

COMPARED = 300_000
"""How many boxes may be looked at in all, shared out among rules, of which none gets less than MIN_COMPARED."""

MIN_COMPARED = 30

NARROW = 8
"""A box that lets so many classes through on an axis can be found by each of them."""


class _Box(NamedTuple):
    """Visitors whom a rule takes for sure; `axes` has a bit for each axis that the box is bounded on."""

    way: Way
    rule: Rule
    axes: int


class Covered(NamedTuple):
    """By whose boxes a way is covered, and what it has in common with the first of them."""

    rules: tuple[Rule, ...]
    shared: Way


class Cover:
    """The boxes of at most `size` rules, and who is in none of them."""

    def __init__(self, axes: Axes, size: int) -> None:
        self._axes = axes
        self._compared = max(MIN_COMPARED, COMPARED // max(size, 1))
        self._anybody: _Box | None = None
        self._narrow: defaultdict[tuple[str, int], list[_Box]] = defaultdict(list)
        self._wide: defaultdict[str, list[_Box]] = defaultdict(list)
        self._numbers: dict[str, int] = {}
        self._let_through: dict[str, int] = {}
        self._all_through: dict[str, int] = {}

    def add(self, way: Way, rule: Rule) -> None:
        """Note that the rule takes everybody in a way."""
        box = _Box(way, rule, sum(1 << self._numbers.setdefault(name, len(self._numbers)) for name in way))
        if not way:
            self._anybody = self._anybody or box
            return
        for name, classes in way.items():
            through = self._let_through[name] = self._let_through.get(name, 0) | classes
            if through == self._axes[name].full:
                self._all_through[name] = through
        narrow = [name for name in way if way[name].bit_count() <= NARROW]
        if narrow:
            found = ([self._narrow[name, bit] for bit in _bits(way[name])] for name in narrow)
            for boxes in min(found, key=lambda found: sum(map(len, found))):
                boxes.append(box)
        else:
            self._wide[next(iter(way))].append(box)

    def of(self, way: Way) -> Covered | None:
        """What covers a way; None where it is not covered, or that takes too long to tell."""
        rules: dict[str, Rule] = {}
        shared: Way | None = None
        pieces, left = [way], self._compared
        while pieces and len(pieces) + len(rules) < MAX_PIECES:
            piece = pieces.pop()
            point = self._point(piece)
            axes = sum(1 << self._numbers[name] for name in point if name in self._numbers)
            for box in self._near(point):
                left -= 1
                if left < 0:
                    return None
                if not box.axes & ~axes and _holds(box, point):
                    break
            else:
                return None
            rules[box.rule.name] = box.rule
            shared = meet(piece, box.way) if shared is None else shared
            pieces += self._without(piece, box.way)
        return None if pieces or shared is None else Covered(tuple(rules.values()), shared)

    def _point(self, piece: Way) -> Mapping[str, int]:
        """One class on every axis on which a box could hold the visitor."""
        point = {}
        for name, classes in {**self._all_through, **piece}.items():
            alone = classes & ~self._let_through.get(name, 0)
            point[name] = (alone or classes) & -(alone or classes)
        return point

    def _near(self, point: Mapping[str, int]) -> Iterable[_Box]:
        """The boxes that could hold the point, those of earlier rules not always first."""
        if self._anybody is not None:
            yield self._anybody
        for name, bit in point.items():
            yield from self._narrow.get((name, bit), ())
        for name in point:
            yield from self._wide.get(name, ())

    def _without(self, piece: Way, box: Way) -> Iterable[Way]:
        """What a box leaves over of a piece, in pieces that do not overlap."""
        rest = dict(piece)
        for name, classes in box.items():
            mine = rest.get(name, self._axes[name].full)
            if mine & ~classes:
                yield {**rest, name: mine & ~classes}
            rest[name] = mine & classes


def _holds(box: _Box, point: Mapping[str, int]) -> bool:
    return all(point[name] & classes for name, classes in box.way.items())


def _bits(classes: int) -> Iterable[int]:
    while classes:
        bit = classes & -classes
        yield bit
        classes ^= bit
