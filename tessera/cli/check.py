"""`tessera check`."""

import json
import sys
from pathlib import Path

import click

from tessera.cli.site import load, read_settings, report, site_option
from tessera.rules.diagnostics import to_json


@click.command()
@site_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to report.")
def check(folder: Path, form: str) -> None:
    """Check rules and templates; exit with 1 where there are errors."""
    loaded = load(folder, read_settings(folder))
    errors = sum(each.severity == "error" for each in loaded.diagnostics)
    if form == "json":
        click.echo(json.dumps(to_json(loaded.diagnostics), indent=2))
    else:
        report(loaded)
        click.echo(f"{count(errors, 'error')}, {count(len(loaded.diagnostics) - errors, 'warning')}")
    sys.exit(1 if errors else 0)


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
