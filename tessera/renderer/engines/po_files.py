"""Catalogues of translations, read from `locales/<locale>/messages.po`.

They are in gettext's form (GNU gettext manual, "The Format of PO Files"), and nobody has to compile them. Whatever is
wrong with one becomes a diagnostic; one that cannot be read is left out. Translations that are marked `fuzzy` do not
count, nor do those with a context (`msgctxt`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from gettext import c2py
from hashlib import sha256
from io import StringIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po

from tessera.renderer.engines.filter_arguments import FilterFault, locale_of
from tessera.renderer.engines.translations import COUNT, MAX_PLACES, Messages, Translations, normal, places_in
from tessera.rules.diagnostics import Diagnostic
from tessera.rules.source import Source, Span

FOLDER = "locales"
FILE = "messages.po"
MAX_BYTES = 4_000_000

_LINE = re.compile(r'\s*(?:$|#|(?:(?:msgctxt|msgid|msgid_plural|msgstr(?:\[\d+\])?)\s*)?"(?:\\.|[^"\\])*"\s*$)')
"""A line as it may be: Babel silently takes a text that never ends for none."""

_TRIED = 200
"""Counts for which the choice of a form is tried: no language looks beyond the last two digits."""


@dataclass(frozen=True, slots=True)
class LoadedTranslations:
    """What loading gave: the catalogues without fault, every complaint, and the files that complaints are about."""

    translations: Translations
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]


class _Fault(Exception):
    """A file cannot be read; the message says why, the line, from 1, where."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


def load_translations(folder: Path) -> LoadedTranslations:
    """Read the catalogues below a site's folder `locales`, which need not be there."""
    by_locale: dict[str, Messages] = {}
    diagnostics: list[Diagnostic] = []
    sources: dict[str, Source] = {}
    digest = sha256()
    for file in sorted(folder.glob(f"*/{FILE}")):
        name = f"{folder.name}/{file.parent.name}/{FILE}"
        try:
            text = _text(file)
            sources[name] = source = Source(name, text)
            catalog = _catalog(text, file.parent.name)
            by_locale[normal(file.parent.name)] = _messages(catalog)
        except _Fault as fault:
            diagnostics.append(Diagnostic("T110", "error", str(fault), _line_span(sources.get(name), name, fault.line)))
            continue
        diagnostics += _complaints(catalog, source)
        digest.update(repr((normal(file.parent.name), text)).encode())
    return LoadedTranslations(Translations(by_locale, digest.hexdigest()), tuple(diagnostics), sources)


def _text(file: Path) -> str:
    with file.open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _Fault(f"the file is larger than {MAX_BYTES:,} bytes")
    try:
        return "\n".join(data.decode("utf-8-sig").splitlines()) + "\n"
    except UnicodeDecodeError as error:
        raise _Fault("the file is not in UTF-8", data[: error.start].count(b"\n") + 1) from None


def _catalog(text: str, locale: str) -> Catalog:
    for number, line in enumerate(text.split("\n"), 1):
        if not _LINE.match(line):
            raise _Fault('a line is a keyword and a text between `"`, or a comment that begins with `#`', number)
    try:
        return read_po(StringIO(text), locale=locale_of(locale), abort_invalid=True)
    except FilterFault as fault:
        raise _Fault(str(fault)) from None
    except PoFileError as error:
        raise _Fault(str(error).rpartition(" on ")[0] or str(error), error.lineno + 1) from None
    except (LookupError, TypeError, ValueError) as error:
        raise _Fault(f"the file cannot be read: {error}") from None


def _messages(catalog: Catalog) -> Messages:
    try:
        form = c2py(catalog.plural_expr)
        for count in range(_TRIED):
            form(count)
    except (ValueError, ArithmeticError):
        raise _Fault(f"`Plural-Forms` cannot be read: `{catalog.plural_expr}`") from None
    forms = {_ids(message)[0]: _strings(message) for message in _translated(catalog)}
    return Messages(forms, form)


def _translated(catalog: Catalog) -> Iterator[Message]:
    for message in catalog:
        if message.id and not message.fuzzy and not message.context and all(_strings(message)):
            yield message


def _ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _strings(message: Message) -> tuple[str, ...]:
    return (message.string or "",) if isinstance(message.string, str | None) else tuple(message.string)


def _complaints(catalog: Catalog, source: Source) -> Iterator[Diagnostic]:
    """Yield a complaint about every translation whose places for values are not those of its message.

    Of several forms, any may leave out the count: "one item".
    """
    for message in _translated(catalog):
        known = frozenset[str]().union(*map(places_in, _ids(message)))
        needed = known - {COUNT} if len(_ids(message)) > 1 else known
        for written in _strings(message):
            found = places_in(written)
            problem = next(
                (f"has a place for `{name}`, which its message lacks" for name in sorted(found - known)),
                next((f"lacks the place for `{name}` of its message" for name in sorted(needed - found)), None),
            )
            if written.count("%(") > MAX_PLACES:
                problem = f"has more than {MAX_PLACES} places for values"
            if problem is not None:
                span = _line_span(source, source.file, _line_of(source, message, written))
                yield Diagnostic("T111", "error", f"the translation {problem}", span)
                break


def _line_of(source: Source, message: Message, written: str) -> int:
    """Return the line on which a translation begins: the first after its message that begins `msgstr`."""
    start = message.lineno or 1
    form = _strings(message).index(written)
    begins = [n for n in range(start, len(source.lines) + 1) if source.lines[n - 1].lstrip().startswith("msgstr")]
    return begins[form] if form < len(begins) else start


def _line_span(source: Source | None, file: str, line: int) -> Span:
    text = (source.line(line) if source else None) or " "
    return Span(file, line, 1, 1 + len(text))
