"""Calls to action, as `ctas.yaml` declares them."""

import re
from collections.abc import Callable, Mapping, Sequence

from tessera.rules.declare import CTA_PARAM, read_declarations
from tessera.rules.diagnostics import did_you_mean
from tessera.rules.facts import TYPES, Fact, FactType
from tessera.rules.ruleset import Cta, Link, Placeholder, Wording
from tessera.rules.shape import Fields, Reader, sound
from tessera.rules.skeleton import MappingNode, Node, Scalar
from tessera.rules.source import Span

CTA_KEYS = ("text", "message", "link", "params", "goal", "about")

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_LINK_STARTS = ("/", "#", "?", "https://", "http://", "mailto:", "tel:")

ReadFact = Callable[[str, Span, Sequence[FactType]], Fact | None]
"""The fact of a name, with a complaint when there is none, or it is of another type than those."""


def read_cta(reader: Reader, key: Scalar, node: Node, fact: ReadFact, locales: tuple[str, ...] | None) -> Cta | None:
    """One call to action; None when it is wrong. `locales` are those that visitors may have, None when any."""
    fields = reader.fields(node, "a CTA", CTA_KEYS, key.span)
    if fields is None or not fields.require("text", "link"):
        return None
    declared = fields.nodes.get("params")
    params = read_declarations(reader, declared, "`params`", CTA_PARAM) if declared else {}
    text = _wording(reader, fields, "text", locales)
    message = _wording(reader, fields, "message", locales)
    link = fields.scalar("link")
    if text is None or link is None:
        return None
    parsed = _link(reader, link, params, fact)
    if parsed is None:
        return None
    return Cta(key.value, text, message, parsed, sound(params), fields.text("goal"), key.span)


def _link(reader: Reader, link: Scalar, params: Mapping[str, Fact | None], fact: ReadFact) -> Link | None:
    if not link.value.startswith(_LINK_STARTS):
        help = "begin it with `/` or `https://`"
        reader.complain("R402", f"`{link.value}` is no link", link.span, help=help)
        return None
    parts: list[str | Placeholder] = []
    for index, part in enumerate(_PLACEHOLDER.split(link.value)):
        if index % 2 == 0:
            parts += [part] if part else []
            continue
        parts.append(Placeholder(part))
        if part not in params:
            fact(part, link.span, TYPES)
    return Link(link.value, tuple(parts))


def _wording(reader: Reader, fields: Fields, key: str, locales: tuple[str, ...] | None) -> Wording | None:
    """One text for all, or one for every locale."""
    node = fields.nodes.get(key)
    if not isinstance(node, MappingNode):
        plain = fields.text(key)
        return None if plain is None else Wording(plain)
    texts = {}
    for locale, value in reader.entries(node, f"`{key}`"):
        if locales is not None and locale.value not in locales:
            close = did_you_mean(locale.value, locales) or f"locales are {', '.join(locales)}"
            reader.complain("R302", f"`{locale.value}` is no value of `locale`", locale.span, help=close)
        text = reader.scalar(value, f"the text for `{locale.value}`")
        if text is not None:
            texts[locale.value] = text.value
    if not texts:
        reader.complain("R013", f"`{key}` is empty", node.span)
        return None
    missing = [locale for locale in locales or () if locale not in texts]
    if missing:
        message = f"`{key}` has no text for {', '.join(missing)}"
        reader.complain("R407", message, fields.span, help=f"`{next(iter(texts))}` stands in", severity="warning")
    return Wording(next(iter(texts.values())), tuple(texts.items()))
