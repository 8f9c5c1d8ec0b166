"""The command itself, and the verbs that it has."""

import click

from tessera.cli.ask import explain, render
from tessera.cli.check import check
from tessera.cli.diff import diff
from tessera.cli.fmt import fmt
from tessera.cli.preview import preview
from tessera.cli.publish import history, publish, rollback
from tessera.cli.reweight import reweight
from tessera.cli.schema import schema
from tessera.cli.serve import serve
from tessera.cli.switch import disable, enable
from tessera.cli.test import test

VERBS = (serve, check, test, fmt, diff, reweight, schema, render, explain)
PUBLISHING = (publish, rollback, history, disable, enable, preview)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tessera")
def tessera() -> None:
    """Personalized page fragments, decided by rules, rendered and cached on the server."""


for verb in (*VERBS, *PUBLISHING):
    tessera.add_command(verb)


def main() -> None:
    """Run the command line."""
    tessera()
