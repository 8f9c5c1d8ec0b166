"""Situations made up to try the rules of a slot: values on both sides of every border that its conditions draw.

Every rule gets its turn, in each of the ways in which its condition can be true; what else is so varies. Nothing is
drawn by lot: the same rules give the same situations.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product

from tessera.rules.conditions import Test, tests_in
from tessera.rules.demands import slot_reads
from tessera.rules.facts import Fact, Value
from tessera.rules.forms import Forms, Literal, Way
from tessera.rules.operators import ROWS
from tessera.rules.ruleset import Rule, Ruleset
from tessera.rules.situations import Situation, json_form
from tessera.rules.split import bucket
from tessera.rules.values import Period, Version

MAX_CHANGES = 4
"""How many of the next opening and closing times of a window are tried."""

OTHER = "something else"
"""Text that no rule asks for; another one in every situation, so that whatever splits by it falls on every side."""

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_MONTH = timedelta(days=30, hours=10)
_CENT = Decimal("0.01")
_EARLIEST, _LATEST = Version.parse("0.0.1"), Version.parse("9999.0.0")
_OPERATORS = {row.words: row for row in ROWS}

Borders = Mapping[str, Sequence[Value | None]]


def probes(rulesets: Sequence[Ruleset], page: str, slot: str, now: datetime, count: int) -> Iterator[Situation]:
    """At least `count` situations for a slot that all of `rulesets` have, around `now`."""
    rules = [(ruleset, rule) for ruleset in rulesets for rule in ruleset.slot(page, slot).rules]
    facts = {name: fact for ruleset in rulesets for name, fact in _facts(ruleset, page, slot)}
    aims = [aim for ruleset, rule in rules for aim in product(_ways(ruleset, rule), _moments(rule, now))] or [((), now)]
    moments = dict.fromkeys(moment for _, moment in aims)
    tests = _tests(rulesets, rules)
    timed = [test for test in tests if isinstance(test.operand, Period)]
    always = _borders([test for test in tests if not isinstance(test.operand, Period)], facts, now)
    borders = {moment: _joined(always, _borders(timed, facts, moment)) for moment in moments}
    for number, (_, (way, moment)) in enumerate(product(range(count // len(aims) + 1), aims)):
        picked = {name: _pick(borders[moment][name], way, fact, str(number)) for name, fact in facts.items()}
        told = {name: json_form(facts[name], value) for name, value in picked.items() if value is not None}
        others = {name: f"{OTHER} {number}" for name, value in told.items() if value == OTHER}
        yield Situation(page, slot, moment, {**told, **others})


def _facts(ruleset: Ruleset, page: str, slot: str) -> Iterator[tuple[str, Fact]]:
    for name in sorted(slot_reads(ruleset, page, slot)):
        fact = ruleset.fact(page, name)
        if fact is not None:
            yield name, fact


def _ways(ruleset: Ruleset, rule: Rule) -> Sequence[Way]:
    return ((),) if rule.when is None else Forms(ruleset.computed).of(rule.when).ways


def _pick(values: Sequence[Value | None], way: Way, fact: Fact, seed: str) -> Value | None:
    """One of the values, of those that suit the way where there are any."""
    literals = [literal for literal in way if literal is not None and literal.fact.name == fact.name]
    suiting = [value for value in values if all(_suits(literal, value) for literal in literals)] if literals else values
    suiting = suiting or values
    place = bucket(seed, fact.name, 2)
    assert place is not None
    return suiting[int(place * len(suiting))]


def _suits(literal: Literal, value: Value | None) -> bool:
    """Whether a value makes a literal come out as wanted."""
    if literal.words == "is known" or value is None:
        return (value is not None) == literal.wanted and literal.words == "is known"
    operand: object = frozenset(literal.values)
    if literal.words == "between":
        operand = literal.values
    elif literal.words not in ("in", "has any of"):
        (operand,) = literal.values
    return _OPERATORS[literal.words].check(value, operand) == literal.wanted


def _moments(rule: Rule, now: datetime) -> Iterator[datetime]:
    """Now, and when the rule or its experiment begins or ends from now on, and a second before that."""
    yield now
    flips = []
    if rule.split is not None:
        flips += [rule.split.experiment.starts, rule.split.experiment.ends]
    until: datetime | None = now
    for _ in range(MAX_CHANGES if rule.during is not None else 0):
        if rule.during is None or until is None:
            break
        until = rule.during.state(until, None).until
        flips.append(until)
    for flip in flips:
        if flip is not None and flip > now:
            yield from (flip - _SECOND, flip)


def _joined(one: Borders, other: Borders) -> Borders:
    """The values of both, each once."""
    return {name: [*values, *(each for each in other[name] if each not in values)] for name, values in one.items()}


def _tests(rulesets: Sequence[Ruleset], rules: Sequence[tuple[Ruleset, Rule]]) -> Sequence[Test]:
    """Every test that the rules can come to, once."""
    conditions = [rule.when for _, rule in rules if rule.when is not None]
    conditions += [each for ruleset in rulesets for each in ruleset.computed.values()]
    tests = (test for condition in conditions for test in tests_in(condition))
    return list({(test.fact.name, test.operator.words, test.operand): test for test in tests}.values())


def _borders(tests: Sequence[Test], facts: Mapping[str, Fact], now: datetime) -> Borders:
    """For every fact the values worth trying: unknown, and those on and beside the borders of all conditions."""
    found: dict[str, dict[Value | None, None]] = {
        name: dict.fromkeys((None, *_whole(fact))) for name, fact in facts.items()
    }
    for test in tests:
        for fact in test.facts():
            if fact.name in found:
                found[fact.name] |= dict.fromkeys(_beside(test, fact, now))
    return {name: list(values) for name, values in found.items()}


def _whole(fact: Fact) -> Iterator[Value]:
    """Every value of a type that has few, and one of others."""
    match fact.type:
        case "boolean":
            yield from (True, False)
        case "set":
            yield frozenset()
            yield from (frozenset((each,)) for each in fact.one_of or ())
        case "string" | "enumeration":
            yield from fact.one_of or (OTHER,)


def _beside(test: Test, fact: Fact, now: datetime) -> Iterator[Value]:
    """Values on, just under and just over what a test compares with."""
    operand = test.operand
    for each in operand if isinstance(operand, tuple | frozenset) else (operand,):
        match each:
            case bool():
                yield each
            case str() if fact.type == "set":
                yield frozenset((each,))
            case str():
                yield each
            case int():
                yield from (each - 1, each, each + 1)
            case Decimal():
                yield from (each - _CENT, each, each + _CENT)
            case timedelta():
                yield from (max(each - _SECOND, timedelta(0)), each, each + _SECOND)
            case datetime():
                yield from (each - _SECOND, each, each + _SECOND)
            case Version():
                yield from (_EARLIEST, each, _LATEST)
            case Period(months, elapsed):
                ago, beside = now - elapsed - months * _MONTH, 2 * _DAY if months else _SECOND
                yield from (ago - beside, ago, ago + beside)
    if isinstance(operand, frozenset) and fact.type == "set":
        yield frozenset(each for each in operand if isinstance(each, str))
