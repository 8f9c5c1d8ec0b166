"""One profile out of several: for each fact, what the first of the sources says that knows it.

A source that could not be had costs what it alone would have told. A segment is a truth of its own: the visitor is in
it where any source says so, and is not where every source that gives it was heard and none does.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tessera.renderer.core.declared import Coerced, KnownProfile, Part
from tessera.renderer.core.errors import SourceError
from tessera.renderer.core.ports import ProfileStatus
from tessera.rules.facts import SEGMENT, Value


class Told(NamedTuple):
    """What one source said, or failed to say.

    ``gives`` are the facts that are taken from it; empty is all. Where there is a ``profile`` and a ``failure``, an
    older answer stands in. ``age_s`` is the profile's, in seconds.
    """

    source: str
    gives: frozenset[str]
    profile: KnownProfile | None
    age_s: float = 0.0
    failure: SourceError | None = None


def merged(told: Sequence[Told]) -> KnownProfile:
    """Merge what sources said, the one that counts most first. Who refused personalization at one refused it."""
    if any(each.profile is not None and each.profile.refused for each in told):
        return KnownProfile(Coerced({}), _status(told), refused=True, parts=tuple(_part(each, {}) for each in told))
    given: dict[str, tuple[str, Value]] = {}
    for each in told:
        for name, value in _facts(each).items():
            if name not in given or (value is True and name.startswith(SEGMENT) and given[name][1] is False):
                given[name] = each.source, value
    for each in told:
        if each.profile is None or each.profile.status == "partial":
            _forget_what_it_could_deny(each, given)
    facts = {name: value for name, (_, value) in given.items()}
    misfits = [name for each in told if each.profile for name in each.profile.coerced.misfits if _gives(each, name)]
    parts = tuple(_part(each, given) for each in told)
    return KnownProfile(
        Coerced(facts, tuple(name for name in dict.fromkeys(misfits) if name not in facts)), _status(told), parts=parts
    )


def _forget_what_it_could_deny(told: Told, given: dict[str, tuple[str, Value]]) -> None:
    """Take back that the visitor is in no segment of which a source that was not heard might say that they are."""
    for name, (_, value) in list(given.items()):
        if value is False and name.startswith(SEGMENT) and _gives(told, name):
            del given[name]


def _facts(told: Told) -> Mapping[str, Value]:
    found = told.profile.coerced.facts if told.profile is not None else {}
    return {name: value for name, value in found.items() if _gives(told, name)}


def _gives(told: Told, name: str) -> bool:
    return not told.gives or name in told.gives


def _part(told: Told, given: Mapping[str, tuple[str, Value]]) -> Part:
    gave = tuple(sorted(name for name, (source, _) in given.items() if source == told.source))
    if told.profile is None:
        assert told.failure is not None
        return Part(told.source, told.failure.kind, None, (), told.failure)
    status = "stale" if told.failure is not None else told.profile.status
    return Part(told.source, status, told.age_s, gave, told.failure)


def _status(told: Sequence[Told]) -> ProfileStatus:
    """Say how much of a profile it is: of what could not be had, nobody knows whether there is any."""
    heard = [each.profile.status for each in told if each.profile is not None]
    if len(heard) < len(told) or "partial" in heard:
        return "partial"
    if all(status == "missing" for status in heard):
        return "missing"
    return "stale" if any(each.failure is not None for each in told) else "fresh"
