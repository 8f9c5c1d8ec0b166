"""Complaints as other programs take them: SARIF for code scanning, and GitHub's workflow commands."""

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from tessera.rules.diagnostics import Diagnostic

SARIF_VERSION = "2.1.0"
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def to_sarif(diagnostics: Iterable[Diagnostic], meanings: Mapping[str, str], prefix: str = "") -> dict[str, object]:
    """The complaints as a SARIF log (OASIS SARIF 2.1.0), JSON-ready.

    `meanings` explains each code; `prefix` leads from where the log is read, a repository's root say, to the site
    folder, and is empty or ends in `/`.
    """
    found = list(diagnostics)
    codes = sorted({each.code for each in found})
    rules = [{"id": code, "shortDescription": {"text": meanings.get(code, code)}} for code in codes]
    run = {
        "tool": {"driver": {"name": "Tessera", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, codes.index(each.code), prefix) for each in found],
    }
    return {"$schema": _SCHEMA, "version": SARIF_VERSION, "runs": [run]}


def to_github(diagnostics: Iterable[Diagnostic], prefix: str = "") -> str:
    """The complaints as workflow commands, one a line, by which GitHub marks the lines of a change.

    See https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands. `prefix` is as in `to_sarif`.
    """
    return "".join(_command(each, prefix) for each in diagnostics)


def _result(diagnostic: Diagnostic, rule: int, prefix: str) -> dict[str, object]:
    span = diagnostic.span
    region = {"startLine": span.line, "startColumn": span.column, "endColumn": max(span.end_column, span.column)}
    place = {"artifactLocation": {"uri": quote(prefix + span.file)}, "region": region}
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": _told(diagnostic)},
        "locations": [{"physicalLocation": place}],
    }


def _command(diagnostic: Diagnostic, prefix: str) -> str:
    span = diagnostic.span
    properties = {
        "file": prefix + span.file,
        "line": span.line,
        "col": span.column,
        "endColumn": max(span.end_column, span.column),
        "title": diagnostic.code,
    }
    written = ",".join(f"{name}={_escaped(str(value), ':,')}" for name, value in properties.items())
    return f"::{diagnostic.severity} {written}::{_escaped(_told(diagnostic))}\n"


def _told(diagnostic: Diagnostic) -> str:
    """All that is said of the place, in one line."""
    return "; ".join(part for part in (diagnostic.message, diagnostic.label, diagnostic.help) if part)


def _escaped(text: str, also: str = "") -> str:
    """With what means something to GitHub's runner percent-encoded."""
    return "".join(f"%{ord(char):02X}" if char in f"%\r\n{also}" else char for char in text)
