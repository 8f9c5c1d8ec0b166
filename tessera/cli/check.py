"""`tessera check`."""

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from tessera.cli.site import count, fail, offline_settings, open_site, report, site_option
from tessera.publishing.deployment import Deployment
from tessera.renderer import crosscheck, trial
from tessera.renderer.confined import Bounds
from tessera.renderer.demanded import accounts
from tessera.renderer.engines import catalog
from tessera.renderer.engines.catalog import SUFFIXES
from tessera.renderer.loader import Report
from tessera.renderer.reload import edits
from tessera.renderer.site import Site
from tessera.rules import codes
from tessera.rules.diagnostics import did_you_mean, to_json
from tessera.rules.reports import to_github, to_sarif

MEANINGS: Mapping[str, str] = {**codes.CODES, **crosscheck.CODES, **trial.CODES, **catalog.CODES}
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
@click.option("--watch", is_flag=True, help="Go on, and check again on each edit, until interrupted.")
@click.option(
    "--demands",
    metavar="[TEMPLATE]",
    is_flag=False,
    flag_value="",
    help="Tell instead what a template reads, or each of them: with its place, who may share it, and its key.",
)
def check(folder: Path, form: str, why: str | None, watch: bool, demands: str | None) -> None:
    """Check rules and templates, and try templates out with made-up inputs.

    Templates are tried in a process of its own with bounds on time and memory.

    Exits with 0 where there is nothing worse than warnings, with 1 where there are errors, and with 2 where settings
    or words on the command line cannot be used.
    """
    if why is not None:
        _explain(why.upper())
        return
    if demands is not None:
        _tell_demands(open_site(folder, offline_settings(folder)), demands, form)
        return
    loader = Deployment(folder, offline_settings(folder)).loader(folder)
    for _ in edits(folder):
        errors = _report(loader.prove(Bounds(), datetime.now(UTC)), form, _prefix(folder))
        if not watch:
            sys.exit(1 if errors else 0)


def _report(checked: Report, form: str, prefix: str) -> int:
    """Report what was found, and return how many errors there are."""
    found = checked.diagnostics
    errors = sum(each.severity == "error" for each in found)
    match form:
        case "json":
            click.echo(json.dumps(to_json(found), indent=2))
        case "sarif":
            click.echo(json.dumps(to_sarif(found, MEANINGS, prefix), indent=2))
        case "github":
            click.echo(to_github(found, prefix), nl=False)
        case _:
            report(checked)
            click.echo(f"{count(errors, 'error')}, {count(len(found) - errors, 'warning')}")
    return errors


def _explain(code: str) -> None:
    if code not in MEANINGS:
        fail(f"there is no code `{code}`; {did_you_mean(code, MEANINGS) or 'docs/rules.md lists all'}")
    click.echo(f"{code}: {MEANINGS[code]}")


def _tell_demands(site: Site, name: str, form: str) -> None:
    known = site.catalog.templates
    if name and name not in known:
        fail(f"there is no template `{name}`; {did_you_mean(name, known) or 'leave it out, and all are told'}")
    told = list(accounts(site, [name] if name else [each for each in known if each.endswith(SUFFIXES)]))
    match form:
        case "text":
            click.echo("\n\n".join(each.to_text() for each in told))
        case "json":
            click.echo(json.dumps([each.to_json() for each in told], indent=2))
        case _:
            fail("what templates demand is told as text or as json")


def _prefix(folder: Path) -> str:
    """The path from here to the site, to stand before the names of its files."""
    path = Path(os.path.relpath(folder)).as_posix()
    return "" if path == "." else f"{path}/"
