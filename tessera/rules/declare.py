"""Declarations of typed names: facts, item fields, and the parameters of pages, CTAs and conditions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tessera.rules.diagnostics import did_you_mean
from tessera.rules.facts import (
    DECLARED_SOURCES,
    EVENT_KINDS,
    REQUEST_FACTS,
    RESERVED,
    SHARES,
    TYPES,
    Attribute,
    Fact,
    FactSource,
    Misfit,
    Value,
    coerce,
    default_share,
)
from tessera.rules.parser import RESERVED_WORDS
from tessera.rules.shape import DOTTED_NAME, NAME, Fields, Reader
from tessera.rules.skeleton import MappingNode, Node, Scalar, SequenceNode
from tessera.rules.values import parse_currency, parse_elapsed


@dataclass(frozen=True, slots=True)
class Kind:
    """What may be said of one kind of typed name. `source` is None where the author says it."""

    noun: str
    keys: tuple[str, ...]
    source: FactSource | None
    prefix: str = ""
    needs_unit: bool = False


_COMMON = ("type", "one_of", "unit", "about")
FACT = Kind(
    "a fact",
    (*_COMMON, "source", "trait", "list", "event", "of", "window", "key", "attributes", "is", "share", "default"),
    None,
    needs_unit=True,
)
PAGE_PARAM = Kind("a parameter", (*_COMMON, "share", "default"), "parameter", prefix="param.", needs_unit=True)
CTA_PARAM = Kind("a parameter", (*_COMMON, "default"), "parameter", needs_unit=True)
CONDITION_PARAM = Kind("a parameter", _COMMON, "parameter")
ITEM_FIELD = Kind("a field", _COMMON, "item", prefix="item.")

KINDS = (FACT, PAGE_PARAM, CTA_PARAM, CONDITION_PARAM, ITEM_FIELD)


def read_declaration(reader: Reader, key: Scalar, node: Node, kind: Kind) -> Fact | None:
    """One declaration, `name: {type: …}`, or `name: TYPE` for short; None when it is wrong."""
    if isinstance(node, Scalar):
        node = MappingNode(((Scalar("type", True, key.span, 0, 0), node),), node.span)
    fields = reader.fields(node, kind.noun, kind.keys, key.span)
    if fields is None or not fields.require("type", *(() if kind.source else ("source",))):
        return None
    type_ = fields.choice("type", TYPES)
    source = kind.source or fields.choice("source", DECLARED_SOURCES)
    if type_ is None or source is None:
        return None
    one_of = _one_of(fields)
    fact = Fact(
        name=kind.prefix + key.value,
        type=type_,
        source=source,
        share=fields.choice("share", SHARES) or default_share(type_, source, one_of),
        span=key.span,
        one_of=one_of,
        unit=fields.value("unit", parse_currency),
        trait=fields.text("trait"),
        list=fields.text("list"),
        event=fields.choice("event", EVENT_KINDS),
        of=fields.text("of"),
        window=fields.value("window", parse_elapsed),
        key=fields.text("key"),
        attributes=_attributes(fields),
        about=fields.text("about") or "",
    )
    if not _consistent(fields, fact, kind):
        return None
    if fact.source == "profile" and fact.trait is None:
        fact = replace(fact, trait=key.value.rpartition(".")[2])
    if fact.source == "flags" and fact.key is None:
        fact = replace(fact, key=key.value.rpartition(".")[2])
    default = fields.nodes.get("default")
    return fact if default is None else replace(fact, default=read_value(reader, fact, default))


def read_value(reader: Reader, fact: Fact, node: Node) -> Value | None:
    """A value of `fact` that an author wrote as YAML."""
    if isinstance(node, Scalar) and reader.scalar(node, f"the value of `{fact.name}`") is None:
        return None
    try:
        return coerce(fact, _plain(node))
    except Misfit as error:
        close = did_you_mean(node.value, fact.one_of or ()) if isinstance(node, Scalar) else ""
        reader.complain("R302", f"not a value of `{fact.name}`: {error}", node.span, help=close)
        return None


def _plain(node: Node) -> object:
    match node:
        case Scalar(value):
            return value
        case SequenceNode(items):
            return [_plain(item) for item in items]
        case MappingNode(entries):
            return {key.value: _plain(value) for key, value in entries}


def _one_of(fields: Fields) -> tuple[str, ...] | None:
    allowed = fields.texts("one_of")
    if allowed is None:
        return None
    seen: dict[str, Scalar] = {}
    for scalar in allowed:
        if scalar.value in seen:
            fields.reader.complain("R014", f"`{scalar.value}` is listed twice", scalar.span)
        seen[scalar.value] = scalar
    return tuple(seen)


def _attributes(fields: Fields) -> tuple[Attribute, ...]:
    """What the flag service is told; whether there are such facts is looked up once all files are read."""
    node = fields.nodes.get("attributes")
    told = fields.reader.entries(node, "`attributes`") if node is not None else ()
    named = [(name.value, fields.reader.scalar(fact, "each of `attributes`")) for name, fact in told]
    return tuple(Attribute(name, fact.value, fact.span) for name, fact in named if fact is not None)


# Which keys go with which types and sources only, and whether they must stand there.
_TYPED_KEYS = {"one_of": ("enumeration", "string", "set"), "unit": ("money",)}
_OPTIONAL_KEYS = ("trait", "window", "key", "attributes")
_SOURCED_KEYS = {
    "trait": ("profile",),
    "list": ("list",),
    "event": ("events",),
    "of": ("events",),
    "window": ("events",),
    "key": ("flags",),
    "attributes": ("flags",),
    "is": ("computed",),
}


def _consistent(fields: Fields, fact: Fact, kind: Kind) -> bool:
    """Whether the keys suit the type, the source and the name; complains where they do not."""
    wrong: list[str] = []
    for keys, noun, actual in ((_TYPED_KEYS, "type", fact.type), (_SOURCED_KEYS, "source", fact.source)):
        wrong += [
            f"`{key}` goes with {noun} {' or '.join(wanted)}, not {actual}"
            for key, wanted in keys.items()
            if key in fields and actual not in wanted
        ]
    needed: Sequence[str] = [
        *(["one_of"] if fact.type == "enumeration" else []),
        *(["unit"] if fact.type == "money" and kind.needs_unit else []),
        *(key for key, sources in _SOURCED_KEYS.items() if fact.source in sources and key not in _OPTIONAL_KEYS),
    ]
    if fact.source == "list" and fact.type != "set":
        wrong.append("what comes from a list is a set")
    if fact.source == "computed" and fact.type != "boolean":
        wrong.append("what is computed is a boolean")
    if fact.source == "events" and fact.type not in ("integer", "boolean", "timestamp"):
        wrong.append("what comes from events is an integer (how often), a boolean (whether) or a timestamp (when last)")
    if fact.source == "cart" and not fact.name.startswith("cart."):
        wrong.append("the name of a fact about the cart begins with `cart.`")
    if kind is FACT and fact.name.partition(".")[0] in RESERVED:
        wrong.append(f"names that begin with `{fact.name.partition('.')[0]}` are taken")
    if kind is CTA_PARAM and fact.name == "use":
        wrong.append("`use` names the CTA itself")
    if fact.name in RESERVED_WORDS:
        wrong.append(f"`{fact.name}` is a word of the language")
    for message in wrong:
        fields.reader.complain("R015", message, fact.span)
    if fact.source == "request" and fact.name not in REQUEST_FACTS:
        message = f"the server offers no request fact `{fact.name}`"
        close = did_you_mean(fact.name, REQUEST_FACTS)
        fields.reader.complain("R112", message, fact.span, "it is never known", close, "warning")
    return fields.require(*needed) and not wrong


def read_declarations(reader: Reader, node: Node, what: str, kind: Kind) -> dict[str, Fact | None]:
    """A mapping of declarations, by the names that the author wrote; None for what is declared, but wrongly."""
    pattern = DOTTED_NAME if kind is FACT else NAME
    return {key.value: read_declaration(reader, key, value, kind) for key, value in reader.entries(node, what, pattern)}
