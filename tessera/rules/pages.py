"""Page files: parameters, layouts, and slots with their rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from tessera.rules.casefile import read_cases
from tessera.rules.conditions import Constant
from tessera.rules.declare import PAGE_PARAM, read_declarations
from tessera.rules.definitions import Definitions
from tessera.rules.diagnostics import did_you_mean
from tessera.rules.facts import SHARES, Fact
from tessera.rules.offers import Offers
from tessera.rules.outcomes import PARTS, LayoutOutcomes, Outcomes
from tessera.rules.rollouts import read_rollout
from tessera.rules.ruleset import DEFAULT, LAYOUT, OnUnknown, Outcome, Page, Rule, Slot, Split
from tessera.rules.schedule import KEYS as WINDOW_KEYS
from tessera.rules.schedule import Window, WindowError, parse_window
from tessera.rules.shape import NAME, Fields, Reader, sound
from tessera.rules.skeleton import MappingNode, Node, Scalar, SequenceNode
from tessera.rules.source import Span
from tessera.rules.values import integer_between, parse_elapsed

PAGE_KEYS = ("page", "params", "layouts", "slots", "tests", "about")
SLOT_KEYS = ("default", "rules", "max_age", "share", "budget", "unique", "about")
MAX_BUDGET = 1_000_000_000
RULE_KEYS = ("name", "when", "during", "rollout", "on_unknown", "show", "split", "about")
LAYOUT_KEYS = ("use", *PARTS, "name", "when", "during", "rollout", "on_unknown", "split", "about")
SPLIT_KEYS = ("experiment", "arms")

BROKEN = Outcome("broken", None, None, None, Span("", 1, 1, 1))
"""Stands for a default that is wrong, so that the rules beside it are read all the same."""


def read_page(reader: Reader, node: Node, definitions: Definitions, offers: Offers) -> Page | None:
    """The page that a file describes, without what is broken in it; None when not even its name can be told."""
    fields = reader.fields(node, "a page", PAGE_KEYS)
    if fields is None or not fields.require("page", "slots"):
        return None
    name = fields.value("page", _name)
    if name is None:
        return None
    declared = fields.nodes.get("params")
    params = sound(read_declarations(reader, declared, "`params`", PAGE_PARAM)) if declared else {}
    slots = _Slots(reader, definitions, offers, params)
    page = Page(
        name=name,
        params=params,
        layouts=slots.layouts(fields.nodes["layouts"], name) if "layouts" in fields else None,
        slots={slot.name: slot for slot in slots.slots(fields.nodes["slots"])},
        cases=(),
        span=fields.nodes["page"].span,
    )
    if "tests" not in fields:
        return page
    return replace(page, cases=read_cases(reader, fields.nodes["tests"], page, definitions))


class _Slots:
    """Reads the slots of one page."""

    def __init__(self, reader: Reader, definitions: Definitions, offers: Offers, params: Mapping[str, Fact]) -> None:
        self._reader = reader
        self._definitions = definitions
        self._offers = offers
        self._params = params

    def slots(self, node: Node) -> Iterator[Slot]:
        outcomes = Outcomes(self._reader, self._offers, self._params)
        for key, value in self._reader.entries(node, "`slots`"):
            if key.value == LAYOUT:
                self._reader.complain("R015", f"`{LAYOUT}` stands for the page's layouts", key.span)
            fields = self._reader.fields(value, "a slot", SLOT_KEYS, key.span)
            if fields is not None:
                yield self._slot(key, fields, outcomes)

    def _slot(self, key: Scalar, fields: Fields, outcomes: Outcomes) -> Slot:
        default = None
        if fields.require("default"):
            default = outcomes.read(fields.nodes["default"], key.span, None)
        items = self._reader.items(fields.nodes["rules"], "`rules`") if "rules" in fields else ()
        entries = [self._reader.fields(item, "a rule", RULE_KEYS) for item in items]
        max_age = fields.value("max_age", parse_elapsed)
        slot = Slot(
            name=key.value,
            default=default or BROKEN,
            rules=self._rules(entries, outcomes, default or BROKEN),
            max_age_s=None if max_age is None else max_age.total_seconds(),
            span=key.span,
            share=fields.choice("share", SHARES),
            budget=fields.value("budget", integer_between(1, MAX_BUDGET)),
            unique=fields.choice("unique", ("true", "false")) == "true",
        )
        if slot.unique and BROKEN not in slot.outcomes and not any(outcome.items for outcome in slot.outcomes):
            message = f"slot `{slot.name}` is to be unique, but shows no list"
            self._reader.complain(
                "R015", message, fields.nodes["unique"].span, help="`unique` keeps items out of `items`"
            )
        return slot

    def layouts(self, node: Node, page: str) -> Slot | None:
        """The layouts as a slot, whose default is the last of them, the one without a condition."""
        outcomes = LayoutOutcomes(self._reader, self._offers, self._params, page)
        items = self._reader.items(node, "`layouts`")
        entries = [self._reader.fields(item, "a layout", LAYOUT_KEYS) for item in items]
        last = entries[-1] if entries else None
        if not items:
            self._reader.complain("R013", "`layouts` is empty", node.span)
        if last is None:
            return None
        for key in ("when", "during", "rollout", "on_unknown", "split"):
            if key in last:
                message = f"the last layout is the default, so it has no `{key}`"
                self._reader.complain("R405", message, last.span, help="add an entry that has only `use`")
        default = outcomes.of(last, None) or BROKEN
        return Slot(LAYOUT, default, self._rules(entries[:-1], outcomes, default), None, last.span)

    def _rules(self, entries: Sequence[Fields | None], outcomes: Outcomes, default: Outcome) -> tuple[Rule, ...]:
        """The rules that can be read; complains of names that are taken."""
        rules: dict[str, Rule] = {}
        for fields in entries:
            rule = None if fields is None else self._rule(fields, outcomes, default)
            if rule is None:
                continue
            if rule.name == DEFAULT:
                self._reader.complain("R015", f"`{DEFAULT}` stands for what no rule decides", rule.span)
            if rule.name in rules:
                label = f"first on line {rules[rule.name].span.line}"
                self._reader.complain("R014", f"rule `{rule.name}` is there twice", rule.span, label)
            rules[rule.name] = rule
        return tuple(rules.values())

    def _rule(self, fields: Fields, outcomes: Outcomes, default: Outcome) -> Rule | None:
        shows = "use" if outcomes.key == "use" else "show"
        name = fields.scalar("name") or fields.scalar("use")
        if (shows in fields) == ("split" in fields):
            self._reader.complain("R015", f"{fields.what} has either `{shows}` or `split`", fields.span)
        if name is None:
            fields.require("name")
        show = split = when = during = rollout = None
        if "split" in fields:
            split = self._split(fields.nodes["split"], outcomes, default)
        elif shows == "use":
            show = outcomes.of(fields, default)
        elif "show" in fields:
            show = outcomes.read(fields.nodes["show"], fields.span, default)
        if "when" in fields:
            tree = fields.expression("when")
            checked = None if tree is None else self._definitions.condition(tree, self._params)
            when = checked or Constant(False, fields.nodes["when"].span)  # never wider than what was meant
        if "during" in fields:
            during = self._window(fields.nodes["during"])
        if "rollout" in fields:
            rollout = read_rollout(self._reader, fields.nodes["rollout"], self._offers.fact)
        on_unknown = fields.value("on_unknown", parse_on_unknown) or OnUnknown()
        if name is None or (show is None and split is None):
            return None
        return Rule(name.value, when, during, on_unknown, show, split, name.span, rollout)

    def _window(self, node: Node) -> Window | None:
        fields = self._reader.fields(node, "`during`", WINDOW_KEYS)
        if fields is None:
            return None
        try:
            return _parsed_window(tuple((key, _plain(value)) for key, value in fields.nodes.items()))
        except WindowError as error:
            at = fields.nodes.get(error.key, node)
            self._reader.complain("R401", str(error), at.span, help=error.help or "")
            return None

    def _split(self, node: Node, outcomes: Outcomes, default: Outcome) -> Split | None:
        fields = self._reader.fields(node, "a split", SPLIT_KEYS)
        if fields is None or not fields.require(*SPLIT_KEYS):
            return None
        name = fields.scalar("experiment")
        arms = {
            key.value: (key, outcomes.read(value, key.span, default))
            for key, value in self._reader.entries(fields.nodes["arms"], "`arms`")
        }
        if name is None:
            return None
        experiment = self._offers.named("experiment", name, self._offers.experiments)
        if experiment is None:
            return None
        for arm in arms.keys() - set(experiment.arms):
            message = f"experiment `{name.value}` has no arm `{arm}`"
            close = did_you_mean(arm, experiment.arms)
            self._reader.complain("R108", message, arms[arm][0].span, help=close)
        for arm in experiment.arms:
            if arm not in arms:
                message = f"arm `{arm}` of experiment `{name.value}` is missing"
                self._reader.complain("R011", message, fields.nodes["arms"].span)
        shown = [arms[arm][1] for arm in experiment.arms if arm in arms]
        return Split(experiment, tuple(outcome for outcome in shown if outcome is not None))


def parse_on_unknown(text: str) -> OnUnknown:
    """`skip`, `match` or `stale` with a duration, such as `stale 15m`; raises ValueError."""
    policy, _, limit = text.partition(" ")
    if policy == "stale" and limit:
        return OnUnknown("stale", parse_elapsed(limit))
    if text == "match":
        return OnUnknown("match")
    if text == "skip":
        return OnUnknown()
    raise ValueError(f"`{text}` is neither `skip`, `match` nor `stale` with a duration, such as `stale 15m`")


def _name(text: str) -> str:
    if NAME.fullmatch(text) is None:
        raise ValueError(f"`{text}` is no name of a page")
    return text


@lru_cache(maxsize=1024)
def _parsed_window(entries: tuple[tuple[str, object], ...]) -> Window:
    """Many rules share few windows."""
    return parse_window({key: list(value) if isinstance(value, tuple) else value for key, value in entries})


def _plain(node: Node) -> object:
    """A text, or several; anything else is for the window's parser to refuse."""
    match node:
        case Scalar(value):
            return value
        case SequenceNode(items):
            return tuple(_plain(item) for item in items)
        case MappingNode():
            return None
