"""`tessera check`."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from tessera.cli.site import fail, load, offline_settings, report, site_option
from tessera.renderer import crosscheck
from tessera.renderer.engines import catalog
from tessera.renderer.site import LoadedSite
from tessera.rules import codes
from tessera.rules.diagnostics import did_you_mean, to_json
from tessera.rules.reports import to_github, to_sarif

MEANINGS: Mapping[str, str] = {**codes.CODES, **crosscheck.CODES, **catalog.CODES}
"""Every code that a complaint about a site can have, with what it means."""


@click.command()
@site_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    help="How to report: for people, as JSON, as a SARIF 2.1.0 log, or as GitHub's workflow commands.",
)
@click.option("--why", metavar="CODE", help="Explain a code, such as R104, instead.")
def check(folder: Path, form: str, why: str | None) -> None:
    """Check rules and templates.

    Exits with 0 where there is nothing worse than warnings, with 1 where there are errors, and with 2 where settings
    or words on the command line cannot be used.
    """
    if why is not None:
        _explain(why.upper())
        return
    loaded = load(folder, offline_settings(folder))
    errors = sum(each.severity == "error" for each in loaded.diagnostics)
    match form:
        case "json":
            click.echo(json.dumps(to_json(loaded.diagnostics), indent=2))
        case "sarif":
            click.echo(json.dumps(to_sarif(loaded.diagnostics, MEANINGS, _prefix(folder)), indent=2))
        case "github":
            click.echo(to_github(loaded.diagnostics, _prefix(folder)), nl=False)
        case _:
            _tell(loaded, errors)
    sys.exit(1 if errors else 0)


def _explain(code: str) -> None:
    if code not in MEANINGS:
        fail(f"there is no code `{code}`; {did_you_mean(code, MEANINGS) or 'docs/rules.md lists all'}")
    click.echo(f"{code}: {MEANINGS[code]}")


def _tell(loaded: LoadedSite, errors: int) -> None:
    report(loaded)
    click.echo(f"{_count(errors, 'error')}, {_count(len(loaded.diagnostics) - errors, 'warning')}")


def _prefix(folder: Path) -> str:
    """The path from here to the site, to stand before the names of its files."""
    path = Path(os.path.relpath(folder)).as_posix()
    return "" if path == "." else f"{path}/"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
