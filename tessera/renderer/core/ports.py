"""The ports: what Tessera needs from the world, as small protocols, and the shapes that cross them.

Adapters implement one port each. They never cache, never retry past the deadline that wraps them, and raise
only `SourceError`. Vendor words stay inside them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, Protocol, runtime_checkable

ProfileStatus = Literal["fresh", "missing"]
KEPT_EVENTS = 100
ListKind = Literal["personal", "popular", "related", "category", "lookup"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a customer data platform says of one visitor, in its own values, not yet coerced.

    A visitor it does not know is a profile with status ``missing``, not an error.
    """

    traits: Mapping[str, object] = field(default_factory=dict)
    segments: frozenset[str] = frozenset()
    status: ProfileStatus = "fresh"


class ListQuery(NamedTuple):
    """Which items are wanted: a kind, what it is about, and how many (1 to 100)."""

    kind: ListKind
    at_most: int
    visitor_id: str | None = None
    to: tuple[str, ...] = ()
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Recommended:
    """One item of a list: its id, its score where the recommender gives one, and fields where it gives them."""

    id: str
    score: float | None = None
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CartLine:
    """A catalogue item in a cart; ``quantity`` is 1 or more."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart: its lines, its value in minor units of a currency, and whatever else the shop tells of it."""

    lines: tuple[CartLine, ...]
    value: int
    currency: str
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exposure:
    """A visitor was shown an arm of an experiment, at its version, at a moment (UTC)."""

    visitor_id: str
    experiment: str
    arm: str
    version: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """A visitor saw something, or sent it away, at a moment (UTC). ``kind`` is shown or dismissed."""

    visitor_id: str
    kind: str
    of: str
    at: datetime


class Profiles(Protocol):
    """Profiles of known visitors."""

    async def profile(self, visitor_id: str, traits: frozenset[str]) -> Profile:
        """Fetch one profile; ``traits`` are all that the site's rules and templates can read.

        Raises `SourceError`.
        """
        ...


class Recommender(Protocol):
    """Lists of items in order, best first."""

    async def items(self, query: ListQuery) -> Sequence[Recommended]:
        """Return at most ``query.at_most`` items, none twice; empty where nothing fits. Raises `SourceError`."""
        ...


class Catalogue(Protocol):
    """What the shop sells."""

    async def items(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        """Return the fields of those of the ids that exist. Raises `SourceError`."""
        ...


class Carts(Protocol):
    """Carts of known visitors."""

    async def cart(self, visitor_id: str) -> Cart | None:
        """Return the visitor's cart, None where there is none. Raises `SourceError`."""
        ...


class Exposures(Protocol):
    """Where exposures are kept: one for each visitor, experiment and version."""

    async def record(self, exposure: Exposure) -> bool:
        """Return once the exposure is durable: True if it is new, False if it was there. Raises `SourceError`."""
        ...


class Assignments(Protocol):
    """The arms that visitors were first shown, for sticky experiments."""

    async def assignments(self, visitor_id: str) -> Mapping[tuple[str, str], str]:
        """Return the arm that a visitor's first exposure named, by experiment and version. Raises `SourceError`."""
        ...


class Events(Protocol):
    """What visitors have seen and sent away: of each visitor, kind and thing the last `KEPT_EVENTS`."""

    async def events(self, visitor_id: str, of: frozenset[str]) -> Mapping[tuple[str, str], Sequence[datetime]]:
        """Return when events about these things happened (UTC), by kind and thing. Raises `SourceError`."""
        ...

    async def record(self, event: Event) -> None:
        """Return once the event is durable. Raises `SourceError`."""
        ...


@runtime_checkable
class Erasing(Protocol):
    """An adapter of any port that can have its upstream forget a visitor."""

    async def erase(self, visitor_id: str) -> None:
        """Return once the upstream has taken the order; a visitor it does not know is none to forget.

        Raises `SourceError`.
        """
        ...


class Downstream(Protocol):
    """Whoever keeps copies of answers in front of Tessera: a proxy's cache, a CDN."""

    @property
    def max_labels(self) -> int:
        """How many labels one purge may name."""
        ...

    async def purge(self, labels: Sequence[str], *, hard: bool) -> None:
        """Return once no copy that carries one of the labels is used as it is.

        Soft, it may be used while it is fetched anew; who knows no such thing purges hard. Raises `Unpurged`.
        """
        ...
