"""Translations: messages of templates in other languages, and the filter `t` that writes them.

A message is the text itself, as the author wrote it. `%(name)s` in it is the place of a value that is handed to `t`
under that name; nothing else in it is interpreted.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from markupsafe import Markup, escape

from tessera.renderer.engines.filter_arguments import FilterFault, integer_of, text_of

MAX_PLACES = 20
"""Places for values in one message: what bounds the size of what `t` gives."""

COUNT = "count"
_PLACE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Messages:
    """One catalogue: for each message its translation, in as many forms as it has, and which form is for a count."""

    forms: Mapping[str, Sequence[str]]
    form: Callable[[int], int]

    def of(self, message: str, count: int | None) -> str | None:
        """Return a translation, None where there is none."""
        forms = self.forms.get(message)
        if forms is None:
            return None
        return forms[min(self.form(count), len(forms) - 1)] if count is not None else forms[0]


@dataclass(frozen=True, slots=True)
class Translations:
    """The catalogues of a site by locale as `normal` writes it, and a digest of all of them."""

    by_locale: Mapping[str, Messages] = field(default_factory=dict)
    digest: str = ""

    def translate(self, value: object, locale: object, /, *, plural: object = None, **named: object) -> str:
        """Write a message in a locale: `{{ "Hello %(name)s" | t: locale, name: visitor.first_name }}`.

        With `plural`, the message is the one for 1, and `count` decides. Of `de-AT`, then of `de`, the first that has
        the message is taken; else the message itself is. The result is text, escaped like any; where a value is markup,
        it is markup, and all else in it is escaped.
        """
        if value is None or value == "":
            return ""
        message, count = str(value), None
        if plural is not None:
            count = abs(integer_of(0 if named.get(COUNT) is None else named[COUNT], "t"))
        written = self.of(message, text_of(locale), count)
        if written is None:
            written = message if count in (None, 1) else str(plural)
        return _filled(written, named)

    def of(self, message: str, locale: str, count: int | None = None) -> str | None:
        """Return a translation, that of the locale or of what it is a part of; None where there is none."""
        for name in _whose_words_serve(locale):
            messages = self.by_locale.get(name)
            found = messages.of(message, count) if messages is not None else None
            if found is not None:
                return found
        return None


NO_TRANSLATIONS = Translations()


def normal(locale: str) -> str:
    """Write the name of a locale in one way: `de_AT` and `de-AT` are `de-at`."""
    return locale.replace("_", "-").lower()


@lru_cache(maxsize=256)
def _whose_words_serve(locale: str) -> Sequence[str]:
    """Return the names of a locale and of what it is a part of: `de-at`, `de`."""
    parts = normal(locale).split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]


def places_in(message: str) -> frozenset[str]:
    """Return the names of the values that a message has places for."""
    return frozenset(_PLACE.findall(message))


def _filled(message: str, values: Mapping[str, object]) -> str:
    """Put values into their places."""
    pieces = _PLACE.split(message) if "%(" in message else [message]
    if len(pieces) == 1:
        return message
    texts, names = pieces[::2], pieces[1::2]
    if len(names) > MAX_PLACES:
        raise FilterFault(f"a message has at most {MAX_PLACES} places for values")
    missing = next((name for name in names if name not in values), None)
    if missing is not None:
        raise FilterFault(f"`t` is not handed `{missing}`, which the message has a place for")
    parts: list[str] = [texts[0]]
    for name, after in zip(names, texts[1:], strict=True):
        value = values[name]
        parts += [value if isinstance(value, str) else text_of(value), after]
    if not any(isinstance(part, Markup) for part in parts):
        return "".join(parts)
    return Markup("").join(map(escape, parts))
