"""`tessera test`."""

import json
import sys
from pathlib import Path

import click

from tessera.cli.site import fail, offline_settings, open_site, site_option
from tessera.rules.casereport import to_json, to_junit, to_text
from tessera.rules.cases import run_cases
from tessera.rules.diagnostics import did_you_mean


@click.command()
@click.argument("pages", nargs=-1, metavar="[PAGE]...")
@site_option
@click.option("--format", "form", type=click.Choice(["text", "json", "junit"]), default="text", help="How to report.")
def test(pages: tuple[str, ...], folder: Path, form: str) -> None:
    """Run the tests of page files, of all pages or of those named.

    Exits with 0 where all pass, with 1 where one fails or the site has errors, and with 2 where there is no such page.
    """
    ruleset = open_site(folder, offline_settings(folder)).ruleset
    for page in pages:
        if page not in ruleset.pages:
            fail(f"there is no page `{page}`; {did_you_mean(page, ruleset.pages) or ', '.join(ruleset.pages)}")
    results = [each for each in run_cases(ruleset) if not pages or each.page in pages]
    match form:
        case "json":
            click.echo(json.dumps(to_json(results), indent=2))
        case "junit":
            click.echo(to_junit(results), nl=False)
        case _:
            click.echo(to_text(results) or "there are no tests\n", nl=False)
    sys.exit(0 if all(each.passed for each in results) else 1)
