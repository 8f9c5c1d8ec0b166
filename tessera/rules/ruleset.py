"""A ruleset: everything that a site's rule files say, checked and immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from tessera.rules.conditions import Expr
from tessera.rules.facts import ASSIGNED, PARAMETER, SEGMENT, Fact, FactSource, Share, Value
from tessera.rules.names import Macro
from tessera.rules.schedule import Window
from tessera.rules.shares import Holdout, Rollout, Status, step_at
from tessera.rules.source import Span
from tessera.rules.split import Arms
from tessera.rules.values import format_elapsed

ListKind = Literal["personal", "popular", "related", "category", "lookup"]
Policy = Literal["skip", "match", "stale"]

LAYOUT = "layout"
"""The name of the slot that a page's layouts form."""

DEFAULT = "default"
"""What stands in tests for the name of a rule where no rule decided."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A named audience: an expression, or, where `when` is None, a truth that the profile delivers.

    `fact` is the segment as rules and templates read it: boolean, named `segment.<name>`, of source computed or
    profile.
    """

    fact: Fact
    when: Expr | None
    about: str

    @property
    def source(self) -> FactSource:
        """Profile or computed."""
        return self.fact.source


@dataclass(frozen=True, slots=True)
class Wording:
    """A text that visitors see: one for every locale that it has, or the same for all (then `by_locale` is empty).

    `plain` is what locales without their own text get; where the author wrote texts per locale, the first of them.
    """

    plain: str
    by_locale: tuple[tuple[str, str], ...] = ()

    def in_locale(self, locale: str | None) -> str:
        """The text for `locale`, else for its language (`de` for `de-AT`), else `plain`."""
        texts = dict(self.by_locale)
        exact = locale or ""
        return texts.get(exact) or texts.get(exact.partition("-")[0]) or self.plain


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Where a link takes a value: a parameter of the CTA, or a fact. The value is to be percent-encoded."""

    name: str


@dataclass(frozen=True, slots=True)
class Link:
    """A URL as authored, and the same cut at its placeholders."""

    text: str
    parts: tuple[str | Placeholder, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts if isinstance(part, Placeholder))


@dataclass(frozen=True, slots=True)
class Cta:
    """A call to action. `params` holds the types of its own parameters, by name; `goal` names what it is to reach."""

    name: str
    text: Wording
    message: Wording | None
    link: Link
    params: Mapping[str, Fact]
    goal: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class CtaUse:
    """A CTA with its parameters given: every declared one, defaults filled in."""

    name: str
    arguments: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class ItemList:
    """A list of catalogue items: at most `count`, from 1.

    `to` names the fact with the ids of the items that the list relates to (kind related) or consists of (kind lookup),
    `category` (kind category) the fact that
    holds the category; `without` that with the ids of items that it leaves out; `fallback` the list that fills in when
    this one is empty or fails.
    """

    name: str
    kind: ListKind
    count: int
    fallback: str | None
    to: str | None
    category: str | None
    without: str | None
    share: Share
    span: Span

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts that asking for it reads, beside who the visitor is."""
        return tuple(name for name in (self.to, self.category, self.without) if name is not None)


@dataclass(frozen=True, slots=True)
class Experiment:
    """A random, repeatable split over the values of the fact `unit`.

    `arms`, `weights` and `ranges` run in parallel: arm i has the buckets of all of `ranges[i]`, which come to
    `coverage` of its weight, both in [0, 1]. `starts` and `ends` bound when it runs, the first included, the last not.
    `namespace` is the group in which experiments exclude each other, with the share [start, end) of it that is this
    one's. `fallback` is the fact that is hashed where `unit` is unknown. Where coverage grows by date, `stages` has the
    ranges from each moment on, and `ranges` the last of them. `holdouts` are those that run and cover it. A `sticky`
    one leaves visitors on the arm that they were first shown. One that is `decided_by` a fact puts visitors on the arm
    that this names, and hashes nothing.
    """

    name: str
    unit: str
    seed: str
    version: int
    hash_version: int
    status: Status
    arms: tuple[str, ...]
    weights: tuple[float, ...]
    coverage: float
    ranges: Arms
    starts: datetime | None
    ends: datetime | None
    namespace: tuple[str, float, float] | None
    span: Span
    fallback: str | None = None
    stages: tuple[tuple[datetime, Arms], ...] = ()
    holdouts: tuple[Holdout, ...] = ()
    sticky: bool = False
    decided_by: str | None = None

    @property
    def assigned(self) -> str | None:
        """The fact that holds the arm which a visitor was first shown of this version, or which somebody else chose.

        None where hashing alone decides.
        """
        return ASSIGNED + self.name if self.sticky else self.decided_by

    def ranges_at(self, now: datetime) -> tuple[Arms, datetime | None]:
        """The ranges at a moment, and when they grow next: None for never."""
        if not self.stages:
            return self.ranges, None
        ranges, until = step_at(self.stages, now)
        return ranges or (), until


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a slot shows. `template` is relative to the template folder; None shows nothing.

    `cta` is a use of a CTA, `items` the name of a list, `item` the name of a fact that holds an item id. In layouts
    `template` is `<page>/layouts/<use>`, without a suffix.
    """

    template: str | None
    cta: CtaUse | None
    items: str | None
    item: str | None
    span: Span

    @property
    def shown(self) -> tuple[str | None, CtaUse | None, str | None, str | None]:
        """What is shown, wherever that is said: equal for outcomes that differ in their place only."""
        return self.template, self.cta, self.items, self.item


@dataclass(frozen=True, slots=True)
class OnUnknown:
    """What a rule does when its condition is unknown; `limit` (policy stale) is how old a stale fact may be."""

    policy: Policy = "skip"
    limit: timedelta | None = None

    def __str__(self) -> str:
        return self.policy if self.limit is None else f"{self.policy} {format_elapsed(self.limit)}"


@dataclass(frozen=True, slots=True)
class Split:
    """An experiment in a rule, with what each of its arms shows, in the experiment's order."""

    experiment: Experiment
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a slot: `show` or `split` is given, never both. Without `when` it holds for everybody.

    `disabled` says that it was switched off by hand (`tessera.rules.switches`).
    """

    name: str
    when: Expr | None
    during: Window | None
    on_unknown: OnUnknown
    show: Outcome | None
    split: Split | None
    span: Span
    rollout: Rollout | None = None
    disabled: bool = False

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Everything the rule can show."""
        if self.split is not None:
            return self.split.outcomes
        return () if self.show is None else (self.show,)


@dataclass(frozen=True, slots=True)
class Slot:
    """Rules, of which the first that matches decides, else the default. `max_age_s` bounds lifetimes downstream.

    `disabled` says that the slot was switched off by hand (`tessera.rules.switches`): it shows its default.
    `share` and `budget` are what the author promises: who may share an answer, and how many contexts, from 1, it may
    differ between; None where nothing is promised. Lists of a `unique` slot leave out what slots before it show.
    """

    name: str
    default: Outcome
    rules: tuple[Rule, ...]
    max_age_s: float | None
    span: Span
    disabled: bool = False
    share: Share | None = None
    budget: int | None = None
    unique: bool = False

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Everything the slot can show, the default last."""
        return (*(outcome for rule in self.rules for outcome in rule.outcomes), self.default)


@dataclass(frozen=True, slots=True)
class Case:
    """One authored test: a context, and what a slot must decide in it.

    `at` is None where the author gave no moment; `bucket` in [0, 1] stands in for every hash. `expect` holds what was
    asked for, out of rule, arm, template, cta, items, item, as text.
    """

    name: str
    slot: str
    given: Mapping[str, Value]
    at: datetime | None
    bucket: float | None
    expect: tuple[tuple[str, str], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Page:
    """`params` holds the page's parameters by their short name (`sku` for `param.sku`)."""

    name: str
    params: Mapping[str, Fact]
    layouts: Slot | None
    slots: Mapping[str, Slot]
    cases: tuple[Case, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All of a site's rules. `version` is a digest of the authored files.

    `facts` has every declared fact by full name, those that the language itself relies on included, and parameters
    not. `computed` has the conditions behind computed facts and segments, by full name (`segment.vip`), `conditions`
    the reusable ones, which rules have written out.
    """

    version: str
    facts: Mapping[str, Fact]
    computed: Mapping[str, Expr]
    item_fields: Mapping[str, Fact]
    segments: Mapping[str, Segment]
    ctas: Mapping[str, Cta]
    lists: Mapping[str, ItemList]
    experiments: Mapping[str, Experiment]
    pages: Mapping[str, Page]
    conditions: Mapping[str, Macro] = field(default_factory=dict)
    holdouts: Mapping[str, Holdout] = field(default_factory=dict)

    def slot(self, page: str, slot: str) -> Slot:
        """The slot, or the page's layouts for `layout`; raises KeyError when there is no such page or slot."""
        found = self.pages[page]
        if slot == LAYOUT and found.layouts is not None:
            return found.layouts
        return found.slots[slot]

    def fact(self, page: str, name: str) -> Fact | None:
        """The fact that `name` means on `page`: a parameter of it, a segment, or a declared fact."""
        if name.startswith(PARAMETER):
            return self.pages[page].params.get(name.removeprefix(PARAMETER))
        if name.startswith(SEGMENT):
            segment = self.segments.get(name.removeprefix(SEGMENT))
            return None if segment is None else segment.fact
        return self.facts.get(name)

    def segment_names(self) -> tuple[str, ...]:
        """Every segment by its full name."""
        return tuple(SEGMENT + name for name in self.segments)
