"""A call to action made ready for a template: its words in the visitor's locale, its link with the visitor's values."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote

from tessera.rules.facts import Value
from tessera.rules.ruleset import Cta, CtaUse, Placeholder

REMEMBERED = 256
"""Locales, and values in links, that are remembered for each use; most have few."""


class CtaPlan:
    """One use of a call to action, prepared when the site is loaded."""

    __slots__ = ("_cta", "_parts", "_worded", "_written")

    def __init__(self, cta: Cta, use: CtaUse) -> None:
        given = dict(use.arguments)
        self._cta = cta
        self._parts = tuple(
            written(given[part.name]) if isinstance(part, Placeholder) and part.name in given else part
            for part in cta.link.parts
        )
        self._worded = lru_cache(REMEMBERED)(self._in_locale)
        self._written = lru_cache(REMEMBERED)(written)

    def resolve(self, facts: Mapping[str, Value], locale: str) -> Mapping[str, str | None]:
        """Return what templates read as ``cta``. A link's unknown value leaves its place empty."""
        worded = self._worded(locale)
        if "url" in worded:
            return worded
        get, write = facts.get, self._written
        url = "".join([part if isinstance(part, str) else write(get(part.name)) for part in self._parts])
        return {**worded, "url": url}

    def _in_locale(self, locale: str) -> Mapping[str, str | None]:
        """Return what is the same for everybody in a locale: all of it, unless the link takes a visitor's value."""
        cta = self._cta
        worded = {
            "id": cta.name,
            "text": cta.text.in_locale(locale),
            "message": cta.message.in_locale(locale) if cta.message else None,
            "goal": cta.goal,
        }
        fixed = [part for part in self._parts if isinstance(part, str)]
        return {**worded, "url": "".join(fixed)} if len(fixed) == len(self._parts) else worded


def written(value: Value | None) -> str:
    """Write a value into a URL, percent-encoding whatever is not unreserved (RFC 3986, section 2.3)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return quote(value.isoformat(), safe="")
    return quote(",".join(sorted(value)) if isinstance(value, frozenset) else str(value), safe="")
