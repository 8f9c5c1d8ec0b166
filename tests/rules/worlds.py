"""Random conditions, rules and visitors for properties: texts of the language over the facts of the small site.

Strategies are made once, not at each draw: to make and to validate one takes longer than to draw from it.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

from hypothesis import assume
from hypothesis import strategies as st

from tessera.rules.facts import CONSENT, TIMEZONE, Fact, Value
from tessera.rules.ruleset import Experiment, OnUnknown, Outcome, Page, Rule, Ruleset, Slot, Split
from tessera.rules.schedule import parse_window
from tessera.rules.shares import Holdout, Rollout, Status
from tessera.rules.source import Span
from tessera.rules.split import arm_ranges
from tessera.rules.values import Version
from tests.rules import building

NOWHERE = Span("nowhere", 1, 1, 1)
ASSIGNED = Fact("assigned.copy", "enumeration", "assignments", "context", NOWHERE, one_of=("control", "urgency"))

PLAIN = (
    "true",
    "false",
    "visitor.known",
    "visitor.returning",
    "segment.vip",
    "segment.members",
    'visitor.tier == "gold"',
    'visitor.tier in ["none", "silver"]',
    'visitor.city == "bonn" ignoring case',
    'visitor.city matches "^B"',
    "visitor.city == visitor.home",
    "visitor.sessions >= 3",
    "visitor.sessions between visitor.visits and 5",
    "visitor.score < visitor.sessions",
    'visitor.favourites has any of ["tents", "packs"]',
    "app.version >= 2.10.0",
    "spends_over(50.00)",
)
TIMED = (
    "visitor.bought_at within 30 days",
    "visitor.bought_at older than 1 month",
    "visitor.joined_at within 2 hours",
    "visitor.regular",
    "segment.lapsed",
    "segment.loyal",
    "recently(visitor.joined_at, 1 day)",
)
PRESENCE = ("visitor.sessions is known", "visitor.bought_at is unknown", "segment.loyal is known")

WINDOWS = (
    {"days": "mon-fri", "hours": "09:00-17:00", "zone": "Europe/Berlin"},
    {"hours": "22:00-06:00", "zone": "visitor"},
    {"from": "2026-03-28", "until": "2026-11-02T12:00", "zone": "America/New_York"},
    {"month_days": "last", "zone": "UTC"},
)


def _compounds(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    junctions = st.builds(
        lambda word, parts: f" {word} ".join(f"({part})" for part in parts),
        st.sampled_from(["and", "or"]),
        st.lists(inner, min_size=2, max_size=3),
    )
    return junctions | inner.map(lambda part: f"not ({part})")


@cache
def expressions(*atoms: str) -> st.SearchStrategy[str]:
    """Texts of conditions built of these tests."""
    return st.recursive(st.sampled_from(atoms), _compounds, max_leaves=5)


moments = st.integers(0, 366 * 86_400).map(lambda second: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second))


_ago = st.integers(-3600, 400 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
_values: dict[str, st.SearchStrategy[Value]] = {
    "visitor.id": st.sampled_from(["ada", "bob", "cleo", "dan"]),
    "visitor.known": st.booleans(),
    "visitor.returning": st.booleans(),
    "visitor.tier": st.sampled_from(["none", "silver", "gold", "platinum"]),
    "visitor.city": st.sampled_from(["Bonn", "bonn", "Köln"]),
    "visitor.home": st.sampled_from(["Bonn", "Köln"]),
    "visitor.sessions": st.integers(0, 6),
    "visitor.visits": st.integers(0, 6),
    "visitor.score": st.sampled_from([Decimal("2.5"), Decimal(4)]),
    "visitor.favourites": st.frozensets(st.sampled_from(["tents", "packs", "stoves"])),
    "visitor.bought_at": _ago,
    "visitor.joined_at": _ago,
    "app.version": st.sampled_from([Version.parse("2.9"), Version.parse("2.10.0")]),
    "cart.value": st.sampled_from([4999, 5001]),
    "segment.vip": st.booleans(),
    ASSIGNED.name: st.sampled_from(["control", "urgency", "gone"]),
    CONSENT: st.sampled_from(["granted", "denied", "unknown"]),
    TIMEZONE: st.sampled_from(["Asia/Kolkata", "America/Los_Angeles", "no/where"]),
}
_visitor = st.fixed_dictionaries(_values)
_unknown = st.sets(st.sampled_from(sorted(_values)), max_size=5)


@st.composite
def visitors(draw: st.DrawFn, now: datetime) -> dict[str, Value]:
    """Some facts of some visitor; what is not there is unknown."""
    known, unknown = draw(_visitor), draw(_unknown)
    return {
        name: now - value if isinstance(value, timedelta) else value
        for name, value in known.items()
        if name not in unknown
    }


ages = st.dictionaries(
    st.sampled_from(["visitor.tier", "visitor.sessions", "visitor.bought_at", "visitor.city", "segment.vip"]),
    st.integers(0, 1200).map(float),
)


def _outcome(name: str) -> Outcome:
    return Outcome(f"home/{name}.liquid", None, None, None, NOWHERE)


units = st.sampled_from([("visitor.id", None), ("visitor.city", "visitor.id"), ("visitor.sessions", "visitor.home")])


_times = st.sets(moments, min_size=1, max_size=3)
_shares = {number: st.sets(st.floats(0, 1), min_size=number, max_size=number) for number in (1, 2, 3)}


@st.composite
def steps(draw: st.DrawFn) -> tuple[tuple[datetime, float], ...]:
    """Up to three steps in order, with growing shares."""
    at = sorted(draw(_times))
    return tuple(zip(at, sorted(draw(_shares[len(at)])), strict=True))


_seeds = st.sampled_from("abc")
_holdout_seeds = st.sampled_from("ab")
_held_out = st.sampled_from([0.0, 0.3, 0.6])
_steps = steps()


@st.composite
def holdouts(draw: st.DrawFn) -> Holdout:
    unit, fallback = draw(units)
    return Holdout("kept", unit, fallback, draw(_holdout_seeds), 2, "running", draw(_held_out), None, NOWHERE)


@st.composite
def rollouts(draw: st.DrawFn) -> Rollout:
    unit, fallback = draw(units)
    return Rollout(unit, fallback, draw(_seeds), 2, draw(_steps))


_HALVES = (0.5, 0.5)
_coverages = st.sampled_from([1.0, 0.5])
_statuses: st.SearchStrategy[Status] = st.sampled_from(["running", "running", "paused", "stopped"])
_ranges = {
    coverage: st.sampled_from([arm_ranges(2, coverage, _HALVES), (((0.1, 0.2), (0.5, 0.6)), ((0.2, 0.5),))])
    for coverage in (1.0, 0.5)
}
_groups = st.sampled_from([None, ("group", 0.0, 0.5)])
_stages = st.just(()) | _steps
_holdouts = st.lists(holdouts(), max_size=2)
_maybe_moments = st.none() | moments


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    coverage, (unit, fallback) = draw(_coverages), draw(units)
    starts, ends = draw(_maybe_moments), draw(_maybe_moments)
    if starts is not None and ends is not None:
        assume(starts != ends)
        starts, ends = sorted((starts, ends))
    return Experiment(
        name="copy",
        unit=unit,
        seed=draw(_seeds),
        version=1,
        hash_version=2,
        status=draw(_statuses),
        arms=("control", "urgency"),
        weights=_HALVES,
        coverage=coverage,
        ranges=draw(_ranges[coverage]),
        starts=starts,
        ends=ends,
        namespace=draw(_groups),
        span=NOWHERE,
        fallback=fallback,
        stages=tuple((at, arm_ranges(2, share, _HALVES)) for at, share in draw(_stages)),
        holdouts=tuple(draw(_holdouts)),
        sticky=draw(st.booleans()),
    )


@cache
def _conditions(*atoms: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from([None, *PLAIN]) | expressions(*atoms)


_windows = st.sampled_from([None, None, *map(parse_window, WINDOWS)])
_policies = st.sampled_from([OnUnknown(), OnUnknown("match"), OnUnknown("stale", timedelta(minutes=10))])
_seldom = st.sampled_from([False, False, True])
_rollouts = rollouts()


@st.composite
def rules(draw: st.DrawFn, name: str, running: Experiment, *atoms: str) -> Rule:
    text = draw(_conditions(*atoms))
    during, policy = draw(_windows), draw(_policies)
    split = Split(running, (_outcome(f"{name}-a"), _outcome(f"{name}-b"))) if draw(_seldom) else None
    return Rule(
        name=name,
        when=None if text is None else building.condition(text),
        during=during,
        on_unknown=policy,
        show=_outcome(name) if split is None else None,
        split=split,
        span=NOWHERE,
        rollout=draw(_rollouts) if draw(_seldom) else None,
    )


_running = experiments()
_numbers = st.integers(1, 4)


@st.composite
def rulesets(draw: st.DrawFn, *atoms: str) -> Ruleset:
    """One page, `home`, with one slot, `hero`, with up to four rules, of tests of any kind unless some are given.

    Those of its rules that split visitors do so by the same experiment: a site has one of each name.
    """
    tests, running = atoms or (*PLAIN, *TIMED, *PRESENCE), draw(_running)
    found = tuple(draw(rules(f"rule {number}", running, *tests)) for number in range(draw(_numbers)))
    slot = Slot("hero", _outcome("default"), found, None, NOWHERE)
    page = Page("home", {}, None, {"hero": slot}, (), NOWHERE)
    facts = {**building.facts(), ASSIGNED.name: ASSIGNED}
    return Ruleset("", facts, building.computed(), {}, {}, {}, {}, {}, {"home": page})
