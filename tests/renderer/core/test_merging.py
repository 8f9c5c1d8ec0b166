"""Merging profiles: for each fact the first source that knows it, and no loss but that of who could not be heard."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tessera.renderer.core.declared import Coerced, KnownProfile
from tessera.renderer.core.errors import SourceTimeout
from tessera.renderer.core.merging import Told, merged
from tessera.rules.facts import Value

LATE = SourceTimeout("profile", "no answer")
FACTS = ("visitor.tier", "visitor.city")
SEGMENTS = ("segment.vip", "segment.lapsed")


def told(source: str, facts: dict[str, Value] | None, *gives: str, status: str = "fresh", stale: bool = False) -> Told:
    profile = None if facts is None else KnownProfile(Coerced(facts), status)  # type: ignore[arg-type]
    return Told(source, frozenset(gives), profile, 3.0, LATE if stale or facts is None else None)


facts: st.SearchStrategy[dict[str, Value] | None] = st.none() | st.fixed_dictionaries(
    {name: st.booleans() for name in SEGMENTS}, optional={name: st.sampled_from("abc") for name in FACTS}
)
gives = st.sets(st.sampled_from(FACTS + SEGMENTS))
sources = st.lists(st.tuples(facts, gives), min_size=1, max_size=4).map(
    lambda rows: [told(f"s{n}", found, *given) for n, (found, given) in enumerate(rows)]
)


def oracle(sources: Sequence[Told], name: str) -> Value | None:
    """What is known of a fact, in the words of the rule that is told to people."""
    givers = [each for each in sources if not each.gives or name in each.gives]
    said = [each.profile.coerced.facts.get(name) if each.profile else None for each in givers]
    if name in FACTS:
        return next((value for value in said if value is not None), None)
    if any(value is True for value in said):
        return True
    return None if None in said or not said else False


@given(sources)
def test_each_fact_is_what_the_first_that_knows_it_says(sources: list[Told]) -> None:
    known = merged(sources).coerced.facts
    assert {name: known.get(name) for name in FACTS + SEGMENTS} == {
        name: oracle(sources, name) for name in FACTS + SEGMENTS
    }


@given(sources)
def test_every_fact_was_given_by_one_source_that_gives_it(sources: list[Told]) -> None:
    profile = merged(sources)
    assert sorted(name for part in profile.parts for name in part.gave) == sorted(profile.coerced.facts)
    for part, source in zip(profile.parts, sources, strict=True):
        assert not source.gives or source.gives.issuperset(part.gave)
        assert (part.age_s is None) == (source.profile is None)


@given(sources, st.integers(0, 3))
def test_a_source_that_is_not_heard_costs_no_more_than_it_gives(sources: list[Told], lost: int) -> None:
    lost %= len(sources)
    partial = [each._replace(profile=None, failure=LATE) if n == lost else each for n, each in enumerate(sources)]
    before, after = merged(sources).coerced.facts, merged(partial).coerced.facts
    changed = {name for name in FACTS + SEGMENTS if before.get(name) != after.get(name)}
    assert not sources[lost].gives or changed <= sources[lost].gives


def test_what_is_missing_at_one_is_no_word_against_what_another_says() -> None:
    profile = merged([told("crm", {}, status="missing"), told("cdp", {"segment.vip": False, "visitor.tier": "gold"})])
    assert profile.coerced.facts == {"segment.vip": False, "visitor.tier": "gold"}
    assert [part.status for part in profile.parts] == ["missing", "fresh"]


def test_a_refusal_at_one_is_a_refusal_and_tells_nothing_else() -> None:
    no = Told("cdp", frozenset(), KnownProfile(Coerced({}), "fresh", refused=True))
    profile = merged([told("crm", {"visitor.tier": "gold"}), no])
    assert (profile.refused, profile.unusual, profile.coerced.facts) == (True, True, {})


def test_the_status_is_that_of_the_whole() -> None:
    known, lost = told("a", {"visitor.tier": "a"}), told("b", None)
    none = told("c", {}, status="missing")
    assert merged([known, none]).status == "fresh"
    assert merged([none, none]).status == "missing"
    assert merged([none, lost]).status == "partial"
    assert merged([known, told("d", {}, status="partial")]).status == "partial"
    assert merged([known, told("e", {}, stale=True)]).status == "stale"
    assert merged([known, lost]).unusual
    assert not merged([known, none]).unusual


def test_a_value_that_does_not_fit_is_reported_unless_another_source_has_one() -> None:
    odd = Told("a", frozenset(), KnownProfile(Coerced({}, ("visitor.tier", "visitor.city")), "fresh"))
    assert merged([odd, told("b", {"visitor.tier": "a"})]).coerced.misfits == ("visitor.city",)
