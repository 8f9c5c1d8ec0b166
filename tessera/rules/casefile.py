"""The `tests:` of page files, read against the page that they test."""

from collections.abc import Mapping
from datetime import datetime

from tessera.rules.declare import read_value
from tessera.rules.definitions import Definitions
from tessera.rules.diagnostics import did_you_mean
from tessera.rules.facts import PARAMETER, Fact, Value
from tessera.rules.names import Broken, unknown
from tessera.rules.ruleset import DEFAULT, LAYOUT, Case, Page, Slot
from tessera.rules.shape import Fields, Reader
from tessera.rules.skeleton import MappingNode, Node
from tessera.rules.source import Span
from tessera.rules.values import parse_percent, parse_timestamp

CASE_KEYS = ("name", "given", "at_bucket", "expect")
EXPECT_KEYS = ("slot", "rule", "arm", "template", "use", "cta", "items", "item")
AT = "at"


def read_cases(reader: Reader, node: Node, page: Page, definitions: Definitions) -> tuple[Case, ...]:
    """The test cases of a page, without those that are broken."""
    cases = (_Case(reader, page, definitions).read(item) for item in reader.items(node, "`tests`"))
    return tuple(case for case in cases if case is not None)


class _Case:
    """Reads one test."""

    def __init__(self, reader: Reader, page: Page, definitions: Definitions) -> None:
        self._reader = reader
        self._page = page
        self._definitions = definitions
        self._given: dict[str, Value] = {}
        self._at: datetime | None = None

    def read(self, node: Node) -> Case | None:
        fields = self._reader.fields(node, "a test", CASE_KEYS)
        if fields is None or not fields.require("name", "expect"):
            return None
        if "given" in fields:
            self._read_given(fields.nodes["given"], "")
        name, bucket = fields.text("name"), fields.value("at_bucket", _bucket)
        expect = self._reader.fields(fields.nodes["expect"], "`expect`", EXPECT_KEYS)
        if expect is None or not expect.require("slot") or not self._known(expect):
            return None
        expected = [(key, expect.text(key) or "") for key in EXPECT_KEYS if key in expect and key != "slot"]
        if not expected:
            self._reader.complain("R011", "`expect` expects nothing", expect.span)
        slot = expect.text("slot")
        if name is None or slot is None:
            return None
        return Case(name, slot, self._given, self._at, bucket, tuple(expected), fields.span)

    def _read_given(self, node: Node, prefix: str) -> None:
        """Facts by name, dots in names written as nested mappings, and `at`, the moment."""
        if not isinstance(node, MappingNode):
            self._reader.complain("R012", "`given` must be a mapping from facts", node.span)
            return
        for key, value in node.entries:
            name = prefix + key.value
            if name == AT:
                self._at = Fields(self._reader, "`given`", key.span, {AT: value}).value(AT, parse_timestamp)
                continue
            try:
                fact = self._fact(name)
            except Broken:
                continue
            if fact is not None:
                self._give(fact, value, key.span)
            elif isinstance(value, MappingNode):
                self._read_given(value, f"{name}.")
            else:
                known = [*self._definitions.known("fact"), *self._definitions.known("segment")]
                self._reader.complaints.append(unknown("fact", name, key.span, known))

    def _give(self, fact: Fact, node: Node, span: Span) -> None:
        if fact.source == "computed":
            message = f"`{fact.name}` is computed, so it cannot be given"
            self._reader.complain("R406", message, span, help="give the facts that it is computed from")
            return
        value = read_value(self._reader, fact, node)
        if value is not None:
            self._given[fact.name] = value

    def _fact(self, name: str) -> Fact | None:
        if name.startswith(PARAMETER):
            return self._page.params.get(name.removeprefix(PARAMETER))
        return self._definitions.fact(name)

    def _known(self, expect: Fields) -> bool:
        """Whether the page has the slot, and the slot the rule; complains when it has not."""
        slots = {**self._page.slots, **({LAYOUT: self._page.layouts} if self._page.layouts else {})}
        slot = self._named(expect, "slot", slots)
        if slot is None or "rule" not in expect:
            return slot is not None
        return self._named(expect, "rule", {DEFAULT: slot, **{rule.name: slot for rule in slot.rules}}) is not None

    def _named(self, expect: Fields, key: str, known: Mapping[str, Slot]) -> Slot | None:
        name = expect.scalar(key)
        if name is not None and name.value not in known:
            close = did_you_mean(name.value, known)
            self._reader.complain("R109", f"this page has no {key} `{name.value}`", name.span, help=close)
        return known.get(name.value) if name else None


def _bucket(text: str) -> float:
    """A percentage, as a place in [0, 1)."""
    share = parse_percent(text)
    if share == 100:
        raise ValueError("buckets end before 100")
    return float(share / 100)
