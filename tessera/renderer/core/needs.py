"""What must be asked for before something can be decided or rendered, by where it comes from.

Made once, when a site is loaded, from the names that rules and templates read. What is not named here is never
fetched; what the request itself tells is always at hand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tessera.renderer.core.lists import ListPlan
from tessera.rules.facts import Fact
from tessera.rules.ruleset import Ruleset


@dataclass(frozen=True, slots=True)
class Needs:
    """Facts by source. ``lists`` pairs each fact that is read from a list with that list; ``events`` are facts
    too, so are ``flags``, and ``assigned`` pairs each fact about a sticky experiment with its name and version.
    """

    profile: bool = False
    cart: bool = False
    lists: tuple[tuple[Fact, ListPlan], ...] = ()
    events: tuple[Fact, ...] = ()
    assigned: tuple[tuple[str, tuple[str, str]], ...] = ()
    flags: tuple[Fact, ...] = ()
    more_than_profile: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        more = bool(self.cart or self.lists or self.events or self.assigned or self.flags)
        object.__setattr__(self, "more_than_profile", more)

    @staticmethod
    def of(names: Iterable[str], facts: Mapping[str, Fact], ruleset: Ruleset) -> "Needs | None":
        """Sort the names of facts by source, None where nothing has to be asked for.

        ``facts`` holds those of the page's parameters too; ``segment.<name>`` stands for a segment that is delivered
        with the profile. What a flag service is told is needed as well.
        """
        named = set(names)
        flags = tuple(facts[name] for name in sorted(named) if name in facts and facts[name].source == "flags")
        wanted = sorted(named.union(attribute.fact for flag in flags for attribute in flag.attributes))
        found = [facts[name] for name in wanted if name in facts]
        needs = Needs(
            profile=any(fact.source == "profile" for fact in found) or any(n.startswith("segment.") for n in wanted),
            cart=any(fact.source == "cart" for fact in found),
            lists=tuple(
                (fact, ListPlan(ruleset.lists[fact.list])) for fact in found if fact.source == "list" and fact.list
            ),
            assigned=tuple(
                (each.assigned, (each.name, str(each.version)))
                for each in ruleset.experiments.values()
                if each.sticky and each.assigned is not None and each.assigned in wanted
            ),
            events=tuple(fact for fact in found if fact.source == "events"),
            flags=flags,
        )
        return None if needs == Needs() else needs
