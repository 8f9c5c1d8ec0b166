"""Plans: what each page, slot and outcome needs, worked out when a site is loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tessera.renderer.core.assets import NO_HEAD, Asset, Head
from tessera.renderer.core.cta import CtaPlan
from tessera.renderer.core.inputs import InputsPlan
from tessera.renderer.core.lists import ListPlan
from tessera.renderer.core.needs import Needs
from tessera.renderer.core.now import Granule
from tessera.renderer.core.policy import Policy
from tessera.renderer.core.scope import Scope
from tessera.renderer.core.tags import Tag, Tags
from tessera.renderer.engines.base import Template
from tessera.rules.compile import Matcher, Truth
from tessera.rules.evaluate import Decision, Reason
from tessera.rules.facts import Fact, Value
from tessera.rules.ruleset import Experiment, Outcome
from tessera.rules.shares import Rollout


@dataclass(frozen=True, slots=True)
class OutcomePlan:
    """One outcome of a slot: its template (None shows nothing), and what the template sees.

    ``needs`` are all that has to be asked for to show it, ``needs_beyond`` those of them that deciding its slot has
    not brought in already. ``derived`` are the segments, computed facts and parts of `now` among that: what works each
    of them out.
    ``values`` names the facts whose every value may show. ``nested`` are the plans of the fragments that are nested in
    its template, by the names of their marks: in all but what is rendered and keyed they are this plan again.
    ``exposes`` says whether the fragment tells of the arm that it is shown for: nested ones leave that to the outer.
    ``tags`` tells those of each fragment that is made of it. ``head`` is what a page has in its head that is shown in
    this layout: all that the slots in it could need.
    """

    outcome: Outcome
    template: Template | None
    needs: Needs | None
    needs_beyond: Needs | None
    inputs: InputsPlan
    derived: tuple[tuple[str, Callable[[Mapping[str, Value], datetime], Truth | Granule]], ...]
    cta: CtaPlan | None
    lists: tuple[ListPlan, ...]
    item: str | None
    slots: tuple[str, ...]
    values: frozenset[str]
    scope: Scope
    tags: Tags | None
    nested: "Mapping[str, OutcomePlan]"
    exposes: bool = True
    head: Head = NO_HEAD


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """One slot: how it is decided, what that needs, and a plan for each outcome.

    ``version`` is that of the rules; ``reads`` are the facts that deciding can read, ``experiments`` and ``rollouts``
    those of its rules. ``base_facts`` are known of every request: the declared defaults and the page's name. ``scope``
    is the narrowest of all that any rule or template of the slot could read. ``forced`` has what to show of an
    experiment's arm, by ``experiment.arm``, to whoever may see it without being counted. ``budget`` is how many
    different answers it promises to have at most. ``before`` are the slots whose items it leaves out of its lists.
    ``links`` is the header that tells whoever includes a fragment of the assets that any of the slot could need.
    ``needs_consent`` are its needs where profiles tell of consent: whatever could be about the visitor then needs one.
    """

    page: str
    name: str
    version: str
    matcher: Matcher
    reads: tuple[Fact, ...]
    experiments: tuple[Experiment, ...]
    rollouts: tuple[Rollout, ...]
    base_facts: Mapping[str, Value]
    needs: Needs | None
    needs_consent: Needs | None
    outcomes: Mapping[int, OutcomePlan]
    default: OutcomePlan
    forced: Mapping[str, Decision]
    scope: Scope
    max_age_s: float
    budget: int | None
    before: "tuple[SlotPlan, ...]" = ()
    links: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def assets(self) -> tuple[Asset, ...]:
        """Everything that anything shown here could need of the page around it, each once."""
        templates = [outcome.template for outcome in self.outcomes.values() if outcome.template is not None]
        return tuple(dict.fromkeys(asset for template in templates for asset in template.assets))

    @property
    def shows_items(self) -> bool:
        """Tell whether anything that it may show has items."""
        return any(outcome.lists or outcome.item is not None for outcome in self.outcomes.values())

    @property
    def tags(self) -> tuple[Tag, Tag]:
        """The tags of whatever is shown here, which an answer has beside those of its fragment."""
        return f"slot:{self.page}/{self.name}", f"page:{self.page}"

    def outcome(self, decision: Decision) -> OutcomePlan:
        """Return the plan of what was decided."""
        return self.outcomes[id(decision.outcome)]

    def default_decision(self, reason: Reason) -> Decision:
        """Return the decision for the slot's default, taken for a reason other than its rules."""
        return Decision(self.default.outcome, reason, None, None, None)


@dataclass(frozen=True, slots=True)
class PagePlan:
    """One page: its parameters by name, its layouts as a slot, its slots, and the narrowest of their scopes.

    ``policy`` is what allows the scripts and style sheets of all that it may show.
    """

    name: str
    parameters: Mapping[str, Fact]
    layout: SlotPlan | None
    slots: Mapping[str, SlotPlan]
    scope: Scope
    max_age_s: float
    policy: Policy

    @property
    def plans(self) -> tuple[SlotPlan, ...]:
        """Everything that is decided on the page: its layout, where it has one, and its slots."""
        return (*([self.layout] if self.layout else []), *self.slots.values())
