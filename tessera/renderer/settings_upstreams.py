"""The tables of `tessera.toml` that say whom Tessera asks, and how. `docs/operating.md` lists each setting."""

from math import inf
from typing import ClassVar, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from tessera.adapters.base import Options
from tessera.adapters.registry import Port, UnknownAdapter, adapter_of
from tessera.renderer.calls import Manner
from tessera.renderer.settings_serving import Table


class Upstream(Table):
    """One upstream: how long to wait for it, and how long its answers are good."""

    deadline_ms: PositiveFloat = Field(150, description="Milliseconds to wait for an answer")
    fresh_s: NonNegativeFloat = Field(60, description="Seconds for which an answer is used as it is")
    grace_s: NonNegativeFloat = Field(
        3600, description="Seconds after that for which it stands in where no newer one is to be had"
    )
    stale_s: NonNegativeFloat = Field(
        30,
        description="Seconds after its fresh life for which it is used as it is, while a newer one is fetched behind",
    )
    missing_s: NonNegativeFloat = Field(
        10, description="Seconds for which it is fresh, at most, that there is no such thing"
    )
    retry_ms: NonNegativeFloat = Field(
        300, description="Milliseconds for which something that could not be had is not asked for again"
    )
    max_refreshes: PositiveInt = Field(
        20, description="Calls at one time, at most, for which no answer waits, such as after a purge"
    )
    max_entries: PositiveInt = Field(50_000, description="Answers remembered in each process, at most")
    max_bytes: PositiveInt = Field(64 * 1024 * 1024, description="Bytes of answers remembered in each process, at most")
    breaker_share: float = Field(
        0.5, gt=0, le=1, description="Share of the calls of the last `breaker_s` that must fail for it to be left alone"
    )
    breaker_s: PositiveFloat = Field(
        2, description="Seconds for which it is then left alone, before one call at a time tries it again"
    )

    @property
    def manner(self) -> Manner:
        """How it is asked."""
        return Manner(self.breaker_share, self.breaker_s)


class Service(Upstream):
    """An upstream that some adapter asks; the adapter's own settings stand beside these."""

    model_config = ConfigDict(extra="allow", frozen=True, validate_default=True)

    port: ClassVar[Port]
    adapter: str = Field("sqlite", description="Who asks: one of those in [adapters](adapters.md)")
    max_connections: PositiveInt = Field(
        100, description="Connections to it from each process at one time, at most; other upstreams have their own"
    )
    connect_ms: PositiveFloat = Field(
        100, description="Milliseconds to wait for a connection to it, a free or a new one"
    )
    max_per_s: PositiveFloat | None = Field(
        None, description="Calls a second from each process, at most; beyond that it is not asked"
    )
    hedge_ms: PositiveFloat | None = Field(
        None,
        description="Milliseconds without an answer after which it is asked a second time, where its adapter may be; "
        "the first answer counts",
    )
    hedge_share: float = Field(0.05, gt=0, le=1, description="Share of calls that are made a second time, at most")
    _options: Options = PrivateAttr()

    @property
    def options(self) -> Options:
        """The adapter's own settings."""
        return self._options

    @property
    def manner(self) -> Manner:
        """How it is asked."""
        return Manner(self.breaker_share, self.breaker_s, self.max_per_s, self.hedge_ms, self.hedge_share)

    @model_validator(mode="after")
    def _fits_its_adapter(self) -> Self:
        try:
            adapter = adapter_of(self.port, self.adapter)
            self._options = adapter.Options(**self.model_extra or {})
        except (UnknownAdapter, ImportError) as failure:
            raise ValueError(str(failure)) from None
        except ValidationError as invalid:
            problems = (f"the `{self.adapter}` adapter {_of_adapter(error)}" for error in invalid.errors())
            raise ValueError("; ".join(problems)) from None
        if self.hedge_ms is not None and not getattr(adapter, "idempotent", False):
            raise ValueError(f"`hedge_ms`: the `{self.adapter}` adapter must not ask the same twice; leave it out")
        return self


class ProfileSource(Service):
    """One of several sources of visitor profiles; a table for each, the ones that count more first."""

    port = "profiles"
    name: str = Field(pattern="^[a-z0-9-]+$", description="What it is called in traces")
    party: Literal["first", "second", "third"] = Field(
        "first",
        description="Whose data it is: `first` for your own, `second` for a partner's, `third` for anybody else's. "
        "What the first party says of a fact outranks the others; within a party, the table above the one below",
    )
    gives: tuple[str, ...] = Field(
        (), description="Facts that are taken from it, such as `visitor.tier` or `segment.vip`; empty for all it has"
    )


class Profiles(Service):
    """Visitor profiles."""

    port = "profiles"
    sources: tuple[ProfileSource, ...] = Field(
        (), description="Several sources at once, instead of an adapter: see `[[profiles.sources]]`"
    )

    @model_validator(mode="after")
    def _either_one_or_several(self) -> Self:
        names = [each.name for each in self.sources]
        if len(set(names)) < len(names):
            raise ValueError("two sources of the same name")
        if self.sources and "adapter" in self.model_fields_set:
            raise ValueError("an `adapter` stands either here or in each of `sources`")
        return self

    @property
    def tell_consent(self) -> bool:
        """Whether any of them may say that a visitor refused personalization."""
        return any(each.options.tells_consent for each in self.sources or (self,))

    @property
    def by_precedence(self) -> tuple[ProfileSource, ...]:
        """The sources, the one that counts most first."""
        return tuple(sorted(self.sources, key=lambda each: ("first", "second", "third").index(each.party)))


OF_CALLS = frozenset(("deadline_ms", "breaker_share", "breaker_s"))
"""What is said of an upstream's calls, rather than of its answers."""


class ListSource(Service):
    """One of several recommenders; a table for each, in the order in which they are tried."""

    port = "lists"
    name: str = Field(pattern="^[a-z0-9-]+$", description="What it is called in routes and traces")
    deadline_ms: PositiveFloat = Field(70, description="Milliseconds to wait for an answer")

    @model_validator(mode="after")
    def _lists_are_remembered_whole(self) -> Self:
        for name in sorted(self.model_fields_set & Upstream.model_fields.keys() - OF_CALLS):
            raise ValueError(f"`{name}` is said of lists as a whole, under `[lists]`")
        return self


class Lists(Service):
    """Lists of items, from a recommender."""

    port = "lists"
    spare_share: float = Field(
        0.25,
        ge=0,
        le=4,
        description="Share of a list's count that is asked for beyond it, in place of items that are not sold",
    )
    sources: tuple[ListSource, ...] = Field(
        (), description="Several recommenders instead of an adapter: see `[[lists.sources]]`"
    )
    routes: dict[str, tuple[str, ...] | dict[str, float]] = Field(
        {},
        description="By list: names of sources in the order in which they are tried, or each with a weight, to be "
        "blended; a list that is not here tries all in their order",
    )

    @field_validator("routes", mode="before")
    @classmethod
    def _a_route_is_names_or_weights(cls, routes: object) -> object:
        for name, route in routes.items() if isinstance(routes, dict) else ():
            names = isinstance(route, list | tuple) and all(isinstance(each, str) for each in route)
            weights = isinstance(route, dict) and all(_is_weight(each) for each in route.values())
            if not route or not (names or weights):
                raise ValueError(f"the route of `{name}` is a list of names, or a table of name to weight (above 0)")
        return routes

    @model_validator(mode="after")
    def _routes_lead_to_sources(self) -> Self:
        deadlines = {each.name: each.deadline_ms for each in self.sources}
        if len(deadlines) < len(self.sources):
            raise ValueError("two sources of the same name")
        if self.sources and "adapter" in self.model_fields_set:
            raise ValueError("an `adapter` stands either here or in each of `sources`")
        for name, route in {"*": tuple(deadlines), **self.routes}.items():
            for unknown in [each for each in route if each not in deadlines]:
                raise ValueError(f"the route of `{name}` names `{unknown}`, which is none of `sources`")
            waits = [deadlines[each] for each in route]
            longest_ms = max(waits, default=0) if isinstance(route, dict) else sum(waits)
            if longest_ms > self.deadline_ms:
                place = "a list without a route" if name == "*" else f"the route of `{name}`"
                raise ValueError(
                    f"{place} may wait {longest_ms:g} ms for its sources, longer than `deadline_ms` of all"
                )
        return self


class Catalogue(Service):
    """Catalogue items."""

    port = "catalogue"
    needed: tuple[str, ...] = Field(
        ("title", "price"), description="Fields without which an item of a list is looked up in the catalogue"
    )
    in_stock: str | None = Field(
        "in_stock", description="Field that says whether an item is sold; lists leave out those of which it is false"
    )


class Flags(Service):
    """Feature flags, and arms of experiments, that are decided elsewhere."""

    port = "flags"
    adapter: str = Field("none", description="Who asks: one of those in [adapters](adapters.md), or `none`")
    fresh_s: NonNegativeFloat = Field(10, description="Seconds for which an answer is used as it is")


class Carts(Upstream):
    """Carts, from the embedded store; a cart signed by the shop outranks it."""

    fresh_s: NonNegativeFloat = Field(0, description="Seconds for which a cart is used as it is")
    stale_s: NonNegativeFloat = Field(
        0,
        description="Seconds after its fresh life for which it is used as it is, while a newer one is fetched behind",
    )


class Assignments(Upstream):
    """The arms that visitors of sticky experiments were first shown, from the embedded store."""

    fresh_s: NonNegativeFloat = Field(0, description="Seconds for which an answer is used as it is")
    stale_s: NonNegativeFloat = Field(
        0,
        description="Seconds after its fresh life for which it is used as it is, while a newer one is fetched behind",
    )


class Events(Upstream):
    """What visitors have seen and sent away, from the embedded store."""

    fresh_s: NonNegativeFloat = Field(0, description="Seconds for which an answer is used as it is")
    stale_s: NonNegativeFloat = Field(
        0,
        description="Seconds after its fresh life for which it is used as it is, while a newer one is fetched behind",
    )
    grace_s: NonNegativeFloat = Field(
        0, description="Seconds after that for which it stands in where no newer one is to be had"
    )


def _of_adapter(error: ErrorDetails) -> str:
    """Say the same of a setting of an adapter's own."""
    name = ".".join(str(part) for part in error["loc"])
    if not name:
        return f"does not take this: {lowered(error['msg'].removeprefix('Value error, '))}"
    if error["type"] == "missing":
        return f"needs a `{name}`"
    if error["type"] == "extra_forbidden":
        return f"has no setting `{name}`"
    return f"does not take `{name}`: {lowered(error['msg'].removeprefix('Value error, '))}"


def _is_weight(found: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and 0 < found < inf


def lowered(text: str) -> str:
    """Begin a text with a small letter."""
    return text[:1].lower() + text[1:]
