"""Which rules of a slot are worth asking: an index whose cost hardly grows with their number.

Every rule's condition is brought into disjunctive form (`tessera.rules.forms`), and every way in which it can be true
gets one bit of a big integer, the first rule the highest. For each fact that conditions test, a table holds, per class
of values that those tests cannot tell apart, the bits of the ways that such a value leaves open. Deciding looks up one
entry per fact and ands them; what is left are the rules to ask, in order, and they are asked by the same code as
without an index. (Counting satisfied terms, as in Yan and Garcia-Molina, *Index structures for selective dissemination
of information under the Boolean model*, ACM TODS 19(2), 1994, touches rules one by one.)

The index may offer a rule in vain, at the cost of asking it, but it never withholds one that could match, or bound
until when the decision holds. That is why an unknown fact closes a way only where unknown and false come to the same:
in a rule that does not accept unknown conditions.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import accumulate, repeat
from operator import or_, xor
from statistics import mean
from typing import Any, NamedTuple, TypeVar

from tessera.rules.conditions import Expr
from tessera.rules.facts import Value
from tessera.rules.findings import FAULTS
from tessera.rules.forms import ALWAYS, RANGES, Forms, Literal, Way
from tessera.rules.ruleset import Rule

K = TypeVar("K")
V = TypeVar("V")
_Table = tuple[str, Value | None, K, V]
"""A fact's name and default, and what says which ways a value leaves open."""


class Candidate(NamedTuple):
    """A rule that is worth asking, by its place in the slot, and whether its condition is certain to be true."""

    place: int
    certain: bool


class RuleIndex:
    """The rules of one slot by what their conditions ask of facts; `computed` is the ruleset's."""

    __slots__ = ("_all", "_below", "_candidates", "_fresh", "_lookups", "_ranges", "_reading_stale", "_sets")

    def __init__(self, rules: Sequence[Rule], computed: Mapping[str, Expr]) -> None:
        self._candidates: list[Candidate] = []
        self._below: list[int] = []
        self._reading_stale = 0
        self._lookups: list[_Table[dict[Value | None, int], int]] = []
        self._ranges: list[_Table[list[Any], list[int]]] = []
        self._sets: list[_Table[dict[Value | None, int], int]] = []
        self._all = range(len(rules))
        forms = Forms(computed)
        axes: defaultdict[str, _Axis] = defaultdict(_Axis)
        for place in reversed(self._all):
            rule = rules[place]
            form = ALWAYS if rule.when is None else forms.of(rule.when)
            lenient = rule.on_unknown.policy == "match"
            below = (1 << len(self._candidates)) - 1
            for way in form.ways:
                literals = _told_apart(way)
                for literal in literals:
                    axes[literal.fact.name].add(literal, len(self._candidates), lenient)
                exact = rule.on_unknown.policy == "skip" and not form.timed and len(literals) == len(way)
                self._candidates.append(Candidate(place, exact))
            if rule.on_unknown.policy == "stale":
                self._reading_stale |= 1 << len(self._candidates)
                self._candidates.append(Candidate(place, False))
            self._below += [below] * (len(self._candidates) - len(self._below))
        everything = (1 << len(self._candidates)) - 1
        self._fresh = everything ^ self._reading_stale
        tables = [(axis, *axis.tabulate(everything)) for axis in axes.values()]
        for axis, values, planes in sorted(tables, key=lambda table: mean(map(int.bit_count, table[2]))):
            self._add_table(axis, values, planes)

    def _add_table(self, axis: "_Axis", values: list[Any], planes: list[int]) -> None:
        fact = axis.literals[0].fact
        if any(literal.words in RANGES for literal in axis.literals):
            self._ranges.append((fact.name, fact.default, values, planes))
        else:
            tables = self._sets if fact.type == "set" else self._lookups
            tables.append((fact.name, fact.default, dict(zip([*values, None], planes[1::2], strict=True)), planes[0]))

    def candidates(self, facts: Mapping[str, Value], any_stale: bool = False) -> Iterator[Candidate]:
        """The rules to ask, in order. `facts` are without stale ones; `any_stale` says that there are some.

        Then the rules that may read them are all asked. Where a value is not of its fact's type, all rules are: they
        themselves notice whether they mind.
        """
        try:
            found = self._open(facts)
        except FAULTS:
            yield from (Candidate(place, False) for place in self._all)
            return
        if any_stale:
            found |= self._reading_stale
        while found:
            bit = found.bit_length() - 1
            yield self._candidates[bit]
            found &= self._below[bit]

    def _open(self, facts: Mapping[str, Any]) -> int:
        """The ways that these facts leave open."""
        get = facts.get
        found = self._fresh
        for name, default, table, other in self._lookups:
            found &= table.get(get(name, default), other)
        for name, default, bounds, planes in self._ranges:
            value = get(name, default)
            place = -1 if value is None else bisect_left(bounds, value) + bisect_right(bounds, value)
            found &= planes[place]
        for name, default, table, other in self._sets:
            value = get(name, default)
            found &= table[None] if value is None else reduce(or_, map(table.get, value, repeat(other)), other)
        return found


class _Axis:
    """What is asked of one fact: each literal, the way that it is part of, and whether that is lenient."""

    __slots__ = ("_bits", "_lenient", "literals")

    def __init__(self) -> None:
        self.literals: list[Literal] = []
        self._bits: list[int] = []
        self._lenient: list[bool] = []

    def add(self, literal: Literal, bit: int, lenient: bool) -> None:
        """Let the way with this bit ask for a literal; `lenient` if an unknown value leaves it open."""
        self.literals.append(literal)
        self._bits.append(bit)
        self._lenient.append(lenient)

    def tabulate(self, everything: int) -> tuple[list[Any], list[int]]:
        """The values that literals name, in order, and for each class of values the ways that it leaves open.

        The classes: below the first value, that value, between it and the next, that one, …, above the last; unknown.
        """
        values: list[Any] = sorted({value for literal in self.literals for value in literal.values})
        places = {value: 2 * index + 1 for index, value in enumerate(values)}
        unknown = 2 * len(values) + 1
        classes: dict[int, int] = {}
        for literal, bit, lenient in zip(self.literals, self._bits, self._lenient, strict=True):
            classes[bit] = classes.get(bit, -1) & _classes(literal, places, unknown, lenient)
        ways: defaultdict[int, int] = defaultdict(int)
        for bit, alike in classes.items():
            ways[alike] |= 1 << bit
        changes = [everything ^ sum(ways.values()), *repeat(0, unknown + 1)]
        for alike, bits in ways.items():
            edges = alike ^ alike << 1
            while edges:
                edge = edges.bit_length() - 1
                changes[edge] ^= bits
                edges ^= 1 << edge
        return values, [*accumulate(changes, xor)][:-1]


def _classes(literal: Literal, places: Mapping[Value, int], unknown: int, lenient: bool) -> int:
    """The classes of values, as bits, that leave a literal open; where it is `lenient`, unknown values are one."""
    known = (1 << unknown) - 1
    if literal.words == "is known":
        return known if literal.wanted else 1 << unknown
    bits = [1 << places[value] for value in literal.values]
    match literal.words:
        case "<" | "before":
            satisfying = bits[0] - 1
        case "<=":
            satisfying = 2 * bits[0] - 1
        case "between":
            satisfying = max(0, 2 * bits[1] - bits[0])
        case _:
            satisfying = reduce(or_, bits, 0)
    return (satisfying if literal.wanted else satisfying ^ known) | lenient << unknown


def _told_apart(way: Way) -> list[Literal]:
    """The literals of a way, and only one of each set: its elements may satisfy one literal each, or one all."""
    literals = [literal for literal in way if literal is not None]
    sets = {literal.fact.name: literal for literal in literals if literal.fact.type == "set"}
    return [literal for literal in literals if sets.get(literal.fact.name, literal) is literal]
