"""Demands to inputs: the only values that a template sees, and the key that they make.

A template's demands are paths. From them an `InputsPlan` is built once, when the site is loaded. For each request
it picks the demanded values and nothing else; their digest, with the template's version, is the cache key; and
from the same values the template's nested inputs are built on a miss. So whatever the template can see is in the
key, by construction. Where the template only tests a value, a stand-in takes its place in both (see `core.quotients`).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from markupsafe import Markup

from tessera.renderer.core.layout import mark
from tessera.renderer.core.paths import EACH, SIZE, Path
from tessera.renderer.core.quotients import Tests, Uses
from tessera.renderer.core.stock import Origin
from tessera.rules.evaluate import Assignment
from tessera.rules.facts import Fact, FactType, Value
from tessera.rules.values import Location, Version

KEY_BYTES = 20
ITEM_ID = "sku"
REMEMBERED = 1024
"""Values of one template's inputs whose digest is remembered: many visitors come with the same ones."""

EXACT_TYPES: frozenset[FactType] = frozenset(
    ("boolean", "integer", "money", "string", "enumeration", "set", "timestamp", "duration")
)
"""Types of which two values that are equal are written alike: not so decimals (1.0 and 1.00), nor versions."""

CTA_FIELDS = ("id", "text", "message", "url", "goal")
EXPERIMENT_FIELDS = ("name", "arm", "version")
ROOTS = ("cta", "experiment", "item", "items")
"""First parts of paths that are not facts; `slots` is another, which only layouts read, and only by name."""


def canonical(values: object) -> bytes:
    """Encode values so that distinct values have distinct encodings.

    Takes None, bool, int, float, str, Decimal, aware datetime, timedelta, and lists, tuples and dicts of those (dicts
    in a fixed order). The encoding is Python's ``repr``: strings are quoted, containers are bracketed, and numbers
    of different types are written differently, so it is injective on these types.
    """
    return repr(values).encode("utf-8", "surrogatepass")


def digest(data: bytes) -> bytes:
    """Return 20 bytes that stand for the data (BLAKE2b, RFC 7693)."""
    return blake2b(data, digest_size=KEY_BYTES).digest()


def spelled(path: Path) -> str:
    """Write a path as authors do: `items[].title`; a length is that of what it belongs to."""
    return ".".join(part for part in path if part != SIZE).replace("." + EACH, EACH)


class Fields(NamedTuple):
    """What a template demands of an item: fields by name, and how it uses those of them that it only tests."""

    names: tuple[str, ...]
    tested: tuple[tuple[str, Uses], ...] = ()

    @property
    def shows(self) -> bool:
        """Tell whether anything of an item is shown, and not only asked for."""
        return len(self.names) > len(self.tested)

    def with_id(self) -> "Fields":
        """Return these fields with the one that a tag is made of, where anything is shown."""
        if not self.shows:
            return self
        others = tuple(name for name in self.names if name != ITEM_ID)
        return Fields((ITEM_ID, *others), tuple(each for each in self.tested if each[0] != ITEM_ID))

    def of(self, item: Mapping[str, object]) -> dict[str, object]:
        """Return an item with only these fields; one that it lacks is None."""
        picked = {name: item.get(name) for name in self.names}
        for name, uses in self.tested:
            picked[name] = uses.stand_in(picked[name])
        return picked


class Items:
    """A list of catalogue items in order. Projections are remembered: a warm list costs a look-up.

    ``origin`` is where it came from, None where nobody recommended it. It is in no key: of that, a template sees what
    stands in fields of items.
    """

    __slots__ = ("_digests", "all", "origin")

    def __init__(self, items: Iterable[Mapping[str, object]], origin: Origin | None = None) -> None:
        self.all = tuple(items)
        self.origin = origin
        self._digests: dict[Fields, bytes] = {}

    def pick(self, fields: Fields) -> list[dict[str, object]]:
        """Return the items with only these fields."""
        return [fields.of(item) for item in self.all]

    def share(self, taken: Collection[object], count: int) -> "Items":
        """Return the first so many of the items, without those whose ids are taken."""
        if not taken and len(self.all) <= count:
            return self
        return Items([item for item in self.all if item.get(ITEM_ID) not in taken][:count], self.origin)

    @property
    def skus(self) -> list[object]:
        """The ids of those items that have one."""
        return [item[ITEM_ID] for item in self.all if item.get(ITEM_ID) is not None]

    def digest(self, fields: Fields) -> bytes:
        """Return what stands for `pick` of these fields in a key."""
        known = self._digests.get(fields)
        if known is None:
            known = self._digests[fields] = digest(canonical([list(fields.of(item).values()) for item in self.all]))
        return known


class Gathered(NamedTuple):
    """Everything from which inputs are picked for one slot of one request."""

    facts: Mapping[str, Value]
    cta: Mapping[str, str | None] | None = None
    items: Items | None = None
    item: Items | None = None
    assignment: Assignment | None = None


class InputsPlan:
    """What a template demands, by where it comes from. Built once for a template; immutable after that."""

    __slots__ = (
        *("_digested", "_keyed", "_names", "_prefix", "_uses"),
        *("cta", "experiment", "facts", "item", "items", "slots"),
    )

    def __init__(
        self,
        version: str,
        demands: Iterable[Path],
        facts: Mapping[str, Fact],
        item_fields: Iterable[str],
        tests: Tests = MappingProxyType({}),
    ) -> None:
        """Sort the demands; a path that names a whole object stands for everything declared beneath it.

        The empty path stands for everything there is. `tests` tell of demands what is asked where that is all.
        """
        uses = Uses.of(demands, tests)
        paths = sorted(demands)
        if paths and paths[0] == ():
            paths = [(root,) for root in sorted({name.split(".")[0] for name in facts} | set(ROOTS))]
        every_field = tuple(sorted(item_fields))
        self.cta = _fields(paths, "cta", CTA_FIELDS)
        self.experiment = _fields(paths, "experiment", EXPERIMENT_FIELDS)
        self.items = _item_fields(_fields(paths, "items", every_field, each=True), uses, ("items", EACH))
        self.item = _item_fields(_fields(paths, "item", every_field) or None, uses, ("item",))
        self.slots = tuple(sorted({path[1] for path in paths if path[0] == "slots" and len(path) > 1}))
        self.facts = tuple(facts[name] for name in sorted(fact_names(paths, facts)))
        self._names = tuple(fact.name for fact in self.facts)
        self._uses = tuple(uses.at(name.split(".")) for name in self._names)
        self._keyed = (
            ("id", *(name for name in self.cta if name != "id")) if self.cta else self.cta,
            self.items and self.items.with_id(),
            self.item and self.item.with_id(),
        )
        exact = all(fact.type in EXACT_TYPES for fact in self.facts)
        self._digested = lru_cache(REMEMBERED)(self._digest) if exact else self._digest
        forms = [(fact.name, fact.type, fact.unit) for fact in self.facts]
        fields = (self.items and self.items.names, self.item and self.item.names)
        self._prefix = canonical((version, forms, self.cta, self.experiment, *fields))

    def key(self, gathered: Gathered) -> bytes:
        """Return the key of the fragment: a digest of the demanded values. Microseconds: every request pays for it."""
        known, cta, items, item, assignment = gathered
        of_cta, of_items, of_item = self._keyed
        return self._digested(
            (
                tuple(map(known.get, self._names)),
                tuple(map(cta.__getitem__, of_cta)) if cta is not None and of_cta is not None else None,
                items.digest(of_items) if items is not None and of_items is not None else None,
                item.digest(of_item) if item is not None and of_item is not None else None,
                (assignment.experiment, assignment.arm, assignment.version) if assignment is not None else None,
            )
        )

    @property
    def parts(self) -> tuple[str, ...]:
        """What the key is made of beside the template's version, as authors write it, sorted."""
        of_cta, of_items, of_item = self._keyed
        items = of_items.names if of_items is not None else ()
        listed = [f"items[].{name}" for name in items] or ["items.size"] * (of_items is not None)
        named = {"cta": of_cta, "experiment": self.experiment, "item": of_item.names if of_item else ()}
        members = [f"{root}.{name}" for root, names in named.items() for name in names or ()]
        return tuple(sorted([*self._names, *listed, *members]))

    def _digest(self, values: tuple[Sequence[Value | None], object, object, object, object]) -> bytes:
        seen = [self._seen(*each) for each in zip(self.facts, self._uses, values[0], strict=True)]
        return digest(self._prefix + canonical((seen, *values[1:])))

    @staticmethod
    def _seen(fact: Fact, uses: Uses, value: Value | None) -> object:
        """Return what the template sees of a fact's value, or what stands for it there."""
        return uses.stand_in(template_form(fact, plain(value)))

    @property
    def asked(self) -> tuple[str, ...]:
        """What the template asks of values of which it sees no more, as its author would say it."""
        of_facts = zip(self._names, self._uses, strict=True)
        of_items = (("items[]", self.items), ("item", self.item))
        of_fields = ((f"{root}.{name}", uses) for root, of in of_items if of for name, uses in of.tested)
        return tuple(words for path, uses in (*of_facts, *of_fields) if not uses.whole for words in uses.words(path))

    def skus(self, gathered: Gathered) -> tuple[object, ...]:
        """Return the ids of the items that the inputs show. They are in the key: an id that is a tag is demanded."""
        found = ((self.items, gathered.items), (self.item, gathered.item))
        return tuple(
            dict.fromkeys(sku for fields, of in found if fields and fields.shows and of is not None for sku in of.skus)
        )

    def inputs(self, gathered: Gathered) -> dict[str, object]:
        """Build the nested inputs that the template is rendered with: the values that the key is made of, no others."""
        inputs: dict[str, object] = {}
        for fact, uses in zip(self.facts, self._uses, strict=True):
            _place(inputs, fact.name.split("."), self._seen(fact, uses, gathered.facts.get(fact.name)))
        if self.cta and gathered.cta is not None:
            inputs["cta"] = {name: gathered.cta[name] for name in self.cta}
        if self.items is not None and gathered.items is not None:
            inputs["items"] = gathered.items.pick(self.items)
        if self.item and gathered.item is not None and gathered.item.all:
            inputs["item"] = gathered.item.pick(self.item)[0]
        if self.experiment and gathered.assignment is not None:
            assignment = gathered.assignment
            named = (assignment.experiment, assignment.arm, assignment.version)
            everything = dict(zip(EXPERIMENT_FIELDS, named, strict=True))
            inputs["experiment"] = {name: everything[name] for name in self.experiment}
        if self.slots:
            inputs["slots"] = {name: Markup(mark(name)) for name in self.slots}
        return inputs


def fact_names(paths: Iterable[Path], facts: Mapping[str, Fact]) -> set[str]:
    """Return the declared facts that paths read: those named, those above a path, those beneath a whole object."""
    names: set[str] = set()
    for path in paths:
        dotted = ".".join(path)
        if dotted in facts:
            names.add(dotted)
            continue
        above = next((d for n in range(len(path), 0, -1) if (d := ".".join(path[:n])) in facts), None)
        names.update([above] if above else [name for name in facts if name.startswith(dotted + ".")])
    return names


def _item_fields(names: tuple[str, ...] | None, uses: Uses, path: Path) -> Fields | None:
    """Return fields of items with how they are used; None where items are not demanded at all."""
    if names is None:
        return None
    found = ((name, uses.at((*path, name))) for name in names)
    return Fields(names, tuple((name, each) for name, each in found if not each.whole))


def _fields(paths: Sequence[Path], root: str, every: tuple[str, ...], *, each: bool = False) -> tuple[str, ...] | None:
    """Return the demanded fields of a root, sorted; None where the root is not demanded at all.

    Of a list, ``()`` means that only its length is read.
    """
    mine = [path[1:] for path in paths if path[0] == root]
    if not mine:
        return None
    if each:
        if any(path in ((), (EACH,), (EACH, SIZE)) for path in mine):
            return every
        mine = [path[1:] for path in mine if path[0] == EACH]
    elif () in mine or (SIZE,) in mine:
        return every
    return tuple(sorted({path[0] for path in mine if path[0] in every}))


def plain(value: Value | None) -> object:
    """Turn a fact's value into one that `canonical` encodes: sets are sorted, versions and locations written out."""
    if isinstance(value, frozenset):
        return sorted(value)
    return str(value) if isinstance(value, Version) else value


def template_form(fact: Fact, value: object) -> object:
    """Turn a plain value of a fact into what templates see of it; see docs/templates.md."""
    if value is None:
        return None
    form = _FORMS.get(fact.type)
    return form(fact, value) if form else value


def _money(fact: Fact, value: object) -> object:
    return {"amount": value, "currency": fact.unit}


def _seconds(_fact: Fact, value: object) -> object:
    return int(value.total_seconds()) if isinstance(value, timedelta) else value


def _in_zone(fact: Fact, value: object) -> object:
    return value.astimezone(ZoneInfo(fact.unit)) if fact.unit and isinstance(value, datetime) else value


def _point(_fact: Fact, value: object) -> object:
    return {"lat": value.lat, "lon": value.lon} if isinstance(value, Location) else value


_FORMS: Mapping[str, Callable[[Fact, object], object]] = {
    "money": _money,
    "duration": _seconds,
    "location": _point,
    "timestamp": _in_zone,
}


def _place(inputs: dict[str, object], path: Sequence[str], value: object) -> None:
    for name in path[:-1]:
        inner = inputs.setdefault(name, {})
        assert isinstance(inner, dict), f"the fact {'.'.join(path)} lies beneath another fact"
        inputs = inner
    inputs[path[-1]] = value
