"""The messages that templates ask for with `t`, and what is wrong with how they do."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tessera.renderer.engines.translations import COUNT, Translations, normal, places_in
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.source import Span

MAX_NAMED = 3
"""How many untranslated messages are named."""


@dataclass(frozen=True, slots=True)
class MessageUse:
    """One use of `t` with texts that are written in the template; either is None where it is not.

    `handed` are the names of the values, `localised` tells whether there is a locale; None and True where the template
    does not show them.
    """

    message: str | None
    plural: str | None
    localised: bool
    handed: frozenset[str] | None
    span: Span


def misused(uses: Iterable[MessageUse]) -> Iterator[Diagnostic]:
    """Yield what `t` would refuse, or write otherwise than meant."""
    for use in uses:
        if use.message is None or use.handed is None:
            continue
        if not use.localised:
            help_text = "write `t: locale` in Liquid, `t(locale)` in Jinja"
            yield Diagnostic("T112", "error", "`t` is not told the locale", use.span, help=help_text)
        known = places_in(use.message) | places_in(use.plural or "")
        lacking = sorted(known - use.handed)
        if "plural" in use.handed and COUNT not in use.handed:
            lacking = sorted({COUNT, *lacking})
        for name in lacking:
            message = f"`t` is not handed `{name}`, which the message needs"
            help_text = f"write `{name}: …` after the locale in Liquid, `{name}=…` in Jinja"
            yield Diagnostic("T112", "error", message, use.span, help=help_text)


def needs_catalogue(locale: str, locales: Sequence[str]) -> bool:
    """Tell whether messages have to be translated to a locale: not to the language of the first, which they are in."""
    return normal(locale).partition("-")[0] != normal(locales[0]).partition("-")[0]


def untranslated(
    uses: Iterable[MessageUse], translations: Translations, locales: Sequence[str]
) -> Iterator[Diagnostic]:
    """Yield one complaint for each locale in which messages are missing."""
    first = {use.message: use.span for use in sorted(uses, key=lambda use: use.span, reverse=True) if use.message}
    for locale in locales:
        if normal(locale) not in translations.by_locale and not needs_catalogue(locale, locales):
            continue
        missing = [text for text in first if translations.of(text, locale) is None]
        if missing:
            missing.sort(key=first.__getitem__)
            named = ", ".join(f"`{text}`" for text in missing[:MAX_NAMED]) + (" …" if missing[MAX_NAMED:] else "")
            number = "1 message is" if len(missing) == 1 else f"{len(missing)} messages are"
            message = f"{number} not translated to `{locale}`: {named}"
            help_text = f"`tessera messages` writes them into locales/{locale}/messages.po"
            yield Diagnostic("T113", "warning", message, first[missing[0]], help=help_text)
