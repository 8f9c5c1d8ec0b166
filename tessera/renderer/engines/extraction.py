"""Catalogues for translators: the messages that templates ask for, written into gettext's files."""

from collections.abc import Iterable
from datetime import datetime
from io import BytesIO, StringIO

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from tessera.renderer.engines.messages import MessageUse


def extracted(uses: Iterable[MessageUse], at: datetime) -> Catalog:
    """Return a catalogue of the messages that are written in templates, with the files that ask for them."""
    catalog = Catalog(creation_date=at)
    for use in sorted(uses, key=lambda use: use.span):
        if use.message:
            catalog.add((use.message, use.plural) if use.plural else use.message, locations=[(use.span.file, 0)])
    return catalog


def brought_up_to_date(text: str | None, messages: Catalog, locale: Locale) -> tuple[str, int]:
    """Return a catalogue's file with these messages in it, and how many of them lack a translation.

    ``text`` is the file as it was, None where there was none. Translations are kept. What is like a new message
    is offered as its translation, marked `fuzzy`; what is no longer asked for goes to the end, commented out.
    """
    if text is None:
        catalog = Catalog(locale=locale, creation_date=messages.creation_date, header_comment="", fuzzy=False)
    else:
        catalog = read_po(StringIO(text), locale=locale)
    catalog.update(messages, update_creation_date=False)
    written = BytesIO()
    write_po(written, catalog, include_lineno=False, width=100)
    open_ones = [each for each in catalog if each.id and (each.fuzzy or not all(_forms(each.string)))]
    return written.getvalue().decode(), len(open_ones)


def _forms(string: str | Iterable[str] | None) -> list[str]:
    return [string or ""] if isinstance(string, str | None) else list(string)
