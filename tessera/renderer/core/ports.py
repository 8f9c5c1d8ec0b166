"""The ports: what Tessera needs from the world, as small protocols, and the shapes that cross them.

Adapters implement one port each. They never cache, never retry past the deadline that wraps them, and raise
only `SourceError`. Vendor words stay inside them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol, runtime_checkable

ProfileStatus = Literal["fresh", "stale", "partial", "missing", "skipped_no_consent"]
ListStatus = Literal["fresh", "fallback", "empty"]
Consent = Literal["granted", "denied", "unknown"]
PERSONALIZATION = "personalization"
"""The purpose whose consent decides whether there is any."""

KEPT_EVENTS = 100
FlagKind = Literal["boolean", "integer", "decimal", "text", "object"]
ListKind = Literal["personal", "popular", "related", "category", "lookup"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a customer data platform says of one visitor, in its own values, not yet coerced.

    A visitor it does not know is a profile with status ``missing``, not an error. One of which it told a part only is
    ``partial``: what is not there is then not known to be absent. ``ids`` are the visitor's at the platform, by their
    kind. ``consents`` are by purpose, such as `PERSONALIZATION`; one that is not there is unknown.

    An adapter says ``fresh``, ``partial`` or ``missing``. Whether an answer has grown ``stale``, when it was fetched
    and whether it was asked for at all (``skipped_no_consent``) is told by whoever remembers it.
    """

    traits: Mapping[str, object] = field(default_factory=dict)
    segments: frozenset[str] = frozenset()
    status: ProfileStatus = "fresh"
    ids: Mapping[str, str] = field(default_factory=dict)
    consents: Mapping[str, Consent] = field(default_factory=dict)


class ListQuery(NamedTuple):
    """Which items are wanted: a kind, what it is about, and how many (from 1).

    ``without`` are the ids of items that are not wanted: whoever cannot leave them out need not, since they are left
    out of the answer as well. ``name`` is the list's own name. ``apart`` lists of a visitor stand beside each other on
    a page: a recommender that is asked for several of them in one call is to give each item to one of them only.
    """

    kind: ListKind
    at_most: int
    visitor_id: str | None = None
    to: tuple[str, ...] = ()
    category: str | None = None
    without: tuple[str, ...] = ()
    name: str = ""
    apart: bool = False


class FlagQuery(NamedTuple):
    """Which flags are wanted, by their names at the service and what their values are, and what it is told.

    Attributes are JSON values under the service's names for them: lists are tuples.
    """

    wanted: tuple[tuple[str, FlagKind], ...]
    attributes: tuple[tuple[str, object], ...] = ()


class Recommended(NamedTuple):
    """One item of a list: its id, and whatever the recommender tells of it.

    ``score`` is in the vendor's own measure, higher is better; ``reason`` says why it is there; ``attribution`` is the
    id under which the vendor wants to hear what became of the recommendation, and ``source`` who made it, where there
    are several.
    """

    id: str
    score: float | None = None
    fields: Mapping[str, object] = MappingProxyType({})
    reason: str | None = None
    attribution: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Recommendations:
    """What a recommender answers: items, best first, none twice.

    ``attribution_s`` is for how many seconds the items' attribution ids are good, None where the vendor sets no end;
    ``fallback`` says that this is not what was asked for first, but what stands in for it.
    """

    items: tuple[Recommended, ...] = ()
    attribution_s: float | None = None
    fallback: bool = False

    @property
    def status(self) -> ListStatus:
        """Say in one word what this is."""
        return "empty" if not self.items else "fallback" if self.fallback else "fresh"

    @property
    def attributions(self) -> tuple[str, ...]:
        """The attribution ids of the items, each once."""
        return tuple(dict.fromkeys(each.attribution for each in self.items if each.attribution is not None))


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

    async def items(self, query: ListQuery) -> Recommendations:
        """Return at most ``query.at_most`` items; none where nothing fits or nobody is known. Raises `SourceError`."""
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


class Flags(Protocol):
    """What a service decides for whoever asks: whether something is on, or which of several it is."""

    async def flags(self, query: FlagQuery) -> Mapping[str, object]:
        """Return the values of those of the flags that the service knows, in its own values, not yet coerced.

        Nothing beyond the attributes is told to anybody. Raises `SourceError`.
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
