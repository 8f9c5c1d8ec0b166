"""Rules and visitors drawn at random, as rule files and in the terms of two other engines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Facts, with how many values each may take; moments with how many days ago they may be.
WORDS = {"visitor.tier": 4, "device.type": 3, "geo.country": 40, "geo.city": 250, "locale": 12, "visitor.campaign": 20}
NUMBERS = {"cart.value": 500, "cart.count": 20, "visitor.sessions_30d": 60, "visitor.lifetime_value": 5_000}
MOMENTS = {"visitor.last_purchase_at": 400, "visitor.signed_up_at": 1_500}
MONEY = ("cart.value", "visitor.lifetime_value")


def flat(name: str) -> str:
    """The name of a fact for engines in which a dot means something."""
    return name.replace(".", "_")


@dataclass(frozen=True)
class Test:
    """A fact and the words it must be one of, or the two bounds between which it must lie (of moments: days ago)."""

    fact: str
    words: tuple[str, ...] = ()
    low: int = 0
    high: int = 0

    def tessera(self) -> str:
        if self.words:
            quoted = [f'"{word}"' for word in self.words]
            return f"{self.fact} in [{', '.join(quoted)}]" if len(quoted) > 1 else f"{self.fact} == {quoted[0]}"
        if self.fact in MOMENTS:
            return f"{self.fact} within {self.high} days and {self.fact} older than {self.low} days"
        return f"{self.fact} between {self.low} and {self.high}"

    def growthbook(self) -> dict[str, Any]:
        name = flat(self.fact)
        if self.words:
            return {name: {"$in": list(self.words)} if len(self.words) > 1 else self.words[0]}
        return {name: {"$gte": self.low, "$lt" if self.fact in MOMENTS else "$lte": self.high}}

    def zen(self) -> str:
        name = flat(self.fact)
        if self.words:
            return f"{name} in {list(self.words)}" if len(self.words) > 1 else f"{name} == '{self.words[0]}'"
        return f"{name} >= {self.low} and {name} {'<' if self.fact in MOMENTS else '<='} {self.high}"


@dataclass(frozen=True)
class Segment:
    """Two tests, of which one or both must hold."""

    name: str
    tests: tuple[Test, Test]
    both: bool

    def tessera(self) -> str:
        return (" and " if self.both else " or ").join(test.tessera() for test in self.tests)

    def growthbook(self) -> dict[str, Any]:
        return {"$and" if self.both else "$or": [test.growthbook() for test in self.tests]}

    def zen(self) -> str:
        return f"({(' and ' if self.both else ' or ').join(f'({test.zen()})' for test in self.tests)})"


@dataclass(frozen=True)
class Window:
    """Office hours of a kind: days from `first` on, hours of the day in Berlin."""

    first: int
    days: int
    opens: int
    closes: int

    def tessera(self) -> str:
        days = f"{DAYS[self.first]}-{DAYS[(self.first + self.days - 1) % 7]}"
        return f'{{days: {days}, hours: "{self.opens:02}:00-{self.closes:02}:00", zone: {ZONE.key}}}'

    def tests(self) -> tuple[Test, ...]:
        """The same for engines that are handed the local time."""
        days = tuple(DAYS[(self.first + day) % 7] for day in range(self.days))
        return Test("local.day", words=days), Test("local.hour", low=self.opens, high=self.closes - 1)


@dataclass(frozen=True)
class Rule:
    """A segment that the visitor must be in, or not be in, and tests that must all hold."""

    segment: Segment
    inside: bool
    tests: tuple[Test, ...]
    window: Window | None

    def tessera(self) -> str:
        terms = [
            f"{'' if self.inside else 'not '}segment.{self.segment.name}",
            *(test.tessera() for test in self.tests),
        ]
        return " and ".join(terms)

    def growthbook(self) -> dict[str, Any]:
        segment = self.segment.growthbook()
        tests = [test.growthbook() for test in (*self.tests, *(self.window.tests() if self.window else ()))]
        return {"$and": [segment if self.inside else {"$not": segment}, *tests]}

    def zen(self) -> str:
        segment = self.segment.zen()
        tests = [test.zen() for test in (*self.tests, *(self.window.tests() if self.window else ()))]
        return " and ".join([segment if self.inside else f"not {segment}", *tests])


def draw_words(random: Random, fact: str, count: int) -> Test:
    return Test(fact, words=tuple(f"w{word}" for word in random.sample(range(WORDS[fact]), count)))


def draw_range(random: Random, bounds: Mapping[str, int], share: float) -> Test:
    """A range that holds the given share of the values of some fact."""
    fact = random.choice(list(bounds))
    width = int(bounds[fact] * share)
    low = random.randrange(bounds[fact] - width)
    return Test(fact, low=low, high=low + width)


def draw_segment(random: Random, name: str) -> Segment:
    fact = random.choice(list(WORDS))
    tests = draw_words(random, fact, WORDS[fact] // 2 + 1), draw_range(random, NUMBERS, 0.5)
    return Segment(name, tests, both=random.random() < 0.75)


def draw_rule(random: Random, segments: Sequence[Segment]) -> Rule:
    one, other = random.sample(("geo.country", "geo.city", "visitor.campaign"), 2)
    tests = [draw_words(random, one, 1), draw_words(random, other, 2), draw_range(random, NUMBERS, 0.3)]
    timing = random.random()
    if timing < 0.1:
        tests.append(draw_range(random, MOMENTS, 0.5))
    hours = sorted(random.sample(range(6, 24), 2))
    window = Window(random.randrange(7), random.randint(2, 6), *hours) if 0.1 <= timing < 0.2 else None
    return Rule(random.choice(segments), random.random() < 0.75, tuple(tests), window)


@dataclass(frozen=True)
class Visitor:
    """A moment, and values by fact: words, numbers, and for moments the days that have passed."""

    now: datetime
    values: Mapping[str, str | int] = field(repr=False)

    def tessera(self) -> dict[str, Any]:
        """The facts as they reach the matcher: money in cents, moments."""
        facts: dict[str, Any] = dict(self.values)
        for name in facts.keys() & MONEY:
            facts[name] *= 100
        for name in facts.keys() & MOMENTS:
            facts[name] = self.now - timedelta(days=facts[name], hours=1)
        return facts

    def flat(self) -> dict[str, Any]:
        local = self.now.astimezone(ZONE)
        values = {**self.values, "local.day": DAYS[local.weekday()], "local.hour": local.hour}
        return {flat(name): value for name, value in values.items()}


def draw_visitor(random: Random, unknown_share: float) -> Visitor:
    values: dict[str, str | int] = {name: f"w{random.randrange(count)}" for name, count in WORDS.items()}
    values |= {name: random.randrange(count) for name, count in (NUMBERS | MOMENTS).items()}
    now = MONDAY + timedelta(seconds=random.randrange(7 * 86_400))
    return Visitor(now, {name: value for name, value in values.items() if random.random() >= unknown_share})


def write_site(folder: Path, segments: Sequence[Segment], pages: Mapping[str, Sequence[Rule]]) -> None:
    """A site with these rules, those of each page for its slot `hero`."""
    rules = folder / "rules"
    rules.mkdir(parents=True)
    types = dict.fromkeys(WORDS, "string") | dict.fromkeys(NUMBERS, "integer") | dict.fromkeys(MOMENTS, "timestamp")
    types |= dict.fromkeys(MONEY, "money, unit: EUR")
    facts = [f"  {name}: {{type: {type_}, source: profile}}" for name, type_ in types.items()]
    (rules / "facts.yaml").write_text("\n".join(["facts:", *facts, ""]))
    named = [f"  {segment.name}: {{when: '{segment.tessera()}'}}" for segment in segments]
    (rules / "segments.yaml").write_text("\n".join(["segments:", *named, ""]))
    for page, its_rules in pages.items():
        (rules / f"{page}.yaml").write_text(page_text(page, its_rules))
    template = folder / "templates" / "hero.liquid"
    template.parent.mkdir()
    template.write_text("<h1>Hello</h1>")


def page_text(page: str, rules: Sequence[Rule]) -> str:
    """The file of a page whose slot `hero` has these rules."""
    lines = [f"page: {page}", "slots:", "  hero:", "    default: nothing", "    rules:"]
    for number, rule in enumerate(rules):
        lines += [f"      - name: rule {number}", f"        when: '{rule.tessera()}'"]
        lines += [f"        during: {rule.window.tessera()}"] if rule.window else []
        lines += ["        show: {template: hero.liquid}"]
    return "\n".join([*lines, ""])
