"""Foreign values made into declared ones: coerced once, where they arrive, by the types in `facts.yaml`.

A value that does not fit its declared type counts as unknown, and is reported as a misfit by its name alone.
"""

import marshal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tessera.renderer.core.errors import SourceError
from tessera.renderer.core.inputs import canonical, digest, plain, template_form
from tessera.renderer.core.ports import PERSONALIZATION, Cart, Profile, ProfileStatus
from tessera.rules.facts import SEGMENT, Fact, Misfit, Value, coerce
from tessera.rules.ruleset import Ruleset

REMEMBERED_ITEMS = 2048
"""Items that need not be made anew: the same ones stand in the lists of many visitors."""
REMEMBERED_BYTES = 4096
"""How long what is told of an item may be for that."""
LIKE = 2
"""The form of `marshal` that writes equal values alike, whoever else holds them."""


@dataclass(frozen=True, slots=True)
class Coerced:
    """Declared facts by name, and the names of those whose value did not fit."""

    facts: Mapping[str, Value]
    misfits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What one of several sources gave to a profile, or, where it has a ``failure``, did not.

    With status ``stale`` an older answer stands in for what failed. ``age_s`` is in seconds, as the parts were merged.
    """

    source: str
    status: str
    age_s: float | None
    gave: tuple[str, ...] = ()
    failure: SourceError | None = None


@dataclass(frozen=True, slots=True)
class KnownProfile:
    """A profile as declared facts; the segments that a platform delivers are the booleans ``segment.<name>``.

    Where it says that the visitor ``refused`` personalization it tells nothing else. ``parts`` are there where it was
    merged from several sources.
    """

    coerced: Coerced
    status: ProfileStatus
    refused: bool = False
    parts: tuple[Part, ...] = ()
    unusual: bool = field(init=False, default=False)
    """Whether there is more to it than its facts: nobody decides on it who does not look at that."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "unusual", self.refused or any(part.failure for part in self.parts))


class Declared:
    """The declarations of one ruleset, as what makes foreign values fit them."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.facts = ruleset.facts
        self.item_fields = ruleset.item_fields
        self.item_names = tuple(ruleset.item_fields)
        self._known_item = lru_cache(REMEMBERED_ITEMS)(lambda written: self._item(marshal.loads(written)))
        self.defaults: Mapping[str, Value] = {
            fact.name: fact.default for fact in ruleset.facts.values() if fact.default is not None
        }
        self._profile = {fact.trait: fact for fact in ruleset.facts.values() if fact.source == "profile" and fact.trait}
        self._cart = {fact.name.removeprefix("cart."): fact for fact in ruleset.facts.values() if fact.source == "cart"}
        self._request = {fact.name: fact for fact in ruleset.facts.values() if fact.source == "request"}
        self._segments = tuple(name for name in ruleset.segments if SEGMENT + name not in ruleset.computed)
        self.traits = frozenset(self._profile)
        self.events = frozenset((fact.event, fact.of) for fact in ruleset.facts.values() if fact.source == "events")
        self.shape = digest(
            canonical([sorted(self._profile), self._segments, sorted(map(repr, self.item_fields.items()))])
        )

    def profile(self, profile: Profile) -> KnownProfile:
        """Coerce a profile's traits and segments. A missing profile tells nothing: all of it is unknown.

        So does one of somebody who refused personalization. Of a partial one, what is not there is unknown.
        """
        if profile.consents.get(PERSONALIZATION) == "denied":
            return KnownProfile(Coerced({}), profile.status, refused=True)
        if profile.status == "missing":
            return KnownProfile(Coerced({}), profile.status)
        found = coerced(self._profile, profile.traits)
        whole = profile.status != "partial"
        segments = {
            SEGMENT + each: each in profile.segments for each in self._segments if whole or each in profile.segments
        }
        return KnownProfile(Coerced({**found.facts, **segments}, found.misfits), profile.status)

    def traits_of(self, facts: frozenset[str]) -> frozenset[str]:
        """Return the traits that some facts are made of."""
        return frozenset(trait for trait, fact in self._profile.items() if fact.name in facts)

    def request(self, told: Mapping[str, object | None]) -> Coerced:
        """Coerce what a request tells, by the full names of its facts."""
        return coerced(self._request, told)

    def cart(self, cart: Cart) -> Coerced:
        """Coerce a cart."""
        return coerced(
            self._cart,
            {
                **cart.extra,
                "value": {"amount": cart.value, "currency": cart.currency},
                "count": sum(line.quantity for line in cart.lines),
                "skus": [line.sku for line in cart.lines],
            },
        )

    def signed_cart(self, told: Mapping[str, object]) -> Coerced:
        """Coerce a cart that the shop signed: members by the last part of their facts' names."""
        return coerced(self._cart, told)

    def item(self, fields: Mapping[str, object]) -> Mapping[str, object]:
        """Return a catalogue item's declared fields as templates see them; a misfit is None.

        The same item told again is the same object: what it is made of is all written in what it is known by.
        """
        told: tuple[Any, ...] = tuple(map(fields.get, self.item_names))
        try:
            written = marshal.dumps(told, LIKE)
        except ValueError:  # something that JSON does not have
            return self._item(told)
        return self._known_item(written) if len(written) <= REMEMBERED_BYTES else self._item(told)

    def _item(self, told: Sequence[object]) -> Mapping[str, object]:
        return {
            name: _item_value(field, raw) for (name, field), raw in zip(self.item_fields.items(), told, strict=True)
        }


def coerced(declared: Mapping[str, Fact], raw: Mapping[str, object | None]) -> Coerced:
    """Coerce the values of declared facts, which both mappings have under the same names; None is unknown."""
    facts: dict[str, Value] = {}
    misfits: list[str] = []
    for name, fact in declared.items():
        given = raw.get(name)
        if given is None:
            continue
        try:
            facts[fact.name] = coerce(fact, given)
        except Misfit:
            misfits.append(fact.name)
    return Coerced(facts, tuple(misfits))


def _item_value(field: Fact, raw: object) -> object:
    if raw is None:
        return None
    try:
        return template_form(field, plain(coerce(field, raw)))
    except Misfit:
        return None
