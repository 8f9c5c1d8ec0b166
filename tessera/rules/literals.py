"""Which written values fit which types, and what the language calls both."""

from collections.abc import Callable, Mapping

from tessera.rules.facts import Fact, FactType, Value
from tessera.rules.syntax import Literal, LiteralKind
from tessera.rules.tokens import tokenize
from tessera.rules.values import Version, minor_units, parse_elapsed, parse_integer, parse_number, parse_timestamp

NOUNS: Mapping[FactType | LiteralKind, str] = {
    "boolean": "a boolean",
    "integer": "an integer",
    "decimal": "a decimal",
    "number": "a number",
    "money": "money",
    "string": "a string",
    "text": "text",
    "enumeration": "an enumeration",
    "set": "a set",
    "timestamp": "a timestamp",
    "duration": "a duration",
    "version": "a version",
    "location": "a location",
}

# Types whose values compare with each other.
_FAMILIES: Mapping[FactType, str] = {
    "integer": "number",
    "decimal": "number",
    "string": "text",
    "enumeration": "text",
}

Reading = Callable[[str, Fact], Value]


def _money(text: str, fact: Fact) -> Value:
    amount = parse_number(text)
    return minor_units(amount, fact.unit) if fact.unit else int(amount)


# How each kind of literal is read where a value of a type is wanted; what is not here does not fit.
READINGS: Mapping[FactType, Mapping[LiteralKind, Reading]] = {
    "boolean": {"boolean": lambda text, _: text == "true"},
    "integer": {"number": lambda text, _: parse_integer(text)},
    "decimal": {"number": lambda text, _: parse_number(text)},
    "money": {"number": _money},
    "string": {"text": lambda text, _: text},
    "enumeration": {"text": lambda text, _: text},
    "set": {"text": lambda text, _: text},
    "timestamp": dict.fromkeys(("timestamp", "text"), lambda text, _: parse_timestamp(text)),
    "duration": {"duration": lambda text, _: parse_elapsed(text)},
    "version": dict.fromkeys(("version", "number", "text"), lambda text, _: Version.parse(text)),
    "location": {},
}

# What to use where an operator does not work on a type.
INSTEAD: Mapping[tuple[str, FactType], str] = {
    ("==", "set"): "has",
    ("!=", "set"): "has",
    ("in", "set"): "has any of",
    ("not in", "set"): "has any of",
    ("contains", "set"): "has",
    ("has", "string"): "contains",
    ("has any of", "string"): "in",
    ("has any of", "enumeration"): "in",
    **{(words, "timestamp"): "before" for words in ("<", "<=")},
    **{(words, "timestamp"): "after" for words in (">", ">=")},
    ("==", "timestamp"): "between",
}


def alike(one: FactType, other: FactType) -> bool:
    """Whether values of two types compare with each other."""
    return _FAMILIES.get(one, one) == _FAMILIES.get(other, other)


def rewritten(literal: Literal, fact: Fact) -> str:
    """How to write a literal so that it fits, when its quotes are all that is wrong."""
    readings = READINGS[fact.type]
    if literal.kind != "text":
        return f'write `"{literal.text}"`' if "text" in readings else ""
    kind = tokenize(literal.text)[0].kind if literal.text not in ("true", "false") else "boolean"
    return f"write `{literal.text}` without quotes" if kind in readings else ""
