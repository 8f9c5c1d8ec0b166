"""What must be at hand before something can be decided or rendered, by where it comes from.

Made once, when a site is loaded, from the names that rules and templates read. Whatever is not named here is
never fetched.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

from tessera.renderer.core.context import REQUEST_FACTS, Context
from tessera.renderer.core.lists import ListPlan
from tessera.rules.facts import Fact, Value, coerce
from tessera.rules.ruleset import Ruleset

REMEMBERED = 256
"""Values of a request fact whose coercion is remembered: most have few."""


class Reading(NamedTuple):
    """A request fact: its name, what it is read from, and what makes a declared value of that."""

    name: str
    read: Callable[[Context], object | None]
    coerce: Callable[[object], Value]


@dataclass(frozen=True, slots=True)
class Needs:
    """Facts by source. ``lists`` pairs each fact that is read from a list with that list."""

    request: tuple[Reading, ...] = ()
    parameters: tuple[Fact, ...] = ()
    profile: bool = False
    cart: bool = False
    lists: tuple[tuple[Fact, ListPlan], ...] = ()

    @staticmethod
    def of(names: Iterable[str], facts: Mapping[str, Fact], ruleset: Ruleset) -> "Needs":
        """Sort the names of facts by source; ``facts`` holds those of the page's parameters too.

        ``segment.<name>`` stands for a segment that is delivered with the profile.
        """
        wanted = sorted(set(names))
        found = [facts[name] for name in wanted if name in facts]
        return Needs(
            request=tuple(
                Reading(fact.name, REQUEST_FACTS[fact.name], lru_cache(REMEMBERED)(partial(coerce, fact)))
                for fact in found
                if fact.source == "request" and fact.name in REQUEST_FACTS
            ),
            parameters=tuple(fact for fact in found if fact.source == "parameter"),
            profile=any(fact.source == "profile" for fact in found) or any(n.startswith("segment.") for n in wanted),
            cart=any(fact.source == "cart" for fact in found),
            lists=tuple(
                (fact, ListPlan(ruleset.lists[fact.list])) for fact in found if fact.source == "list" and fact.list
            ),
        )
