"""The command itself, and the verbs that it has."""

from importlib import import_module

import click

MODULES = {
    "serve": "serve",
    "check": "check",
    "test": "test",
    "fmt": "fmt",
    "diff": "diff",
    "reweight": "reweight",
    "schema": "schema",
    "openapi": "openapi",
    "messages": "messages",
    "render": "ask",
    "explain": "ask",
    "publish": "publish",
    "rollback": "publish",
    "history": "publish",
    "disable": "switch",
    "enable": "switch",
    "purge": "purge",
    "erase": "erase",
    "unsuppress": "erase",
    "preview": "preview",
    "adapters": "adapters",
    "probe": "probe",
}
"""The verbs, and the module of each, which is imported when the verb is used: none waits for the others' libraries."""


class Verbs(click.Group):
    """A group whose commands are imported on demand (click's documentation, "Lazily Loading Subcommands")."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order in which one comes to need them."""
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb."""
        if cmd_name not in MODULES:
            return None
        found = getattr(import_module(f"tessera.cli.{MODULES[cmd_name]}"), cmd_name)
        assert isinstance(found, click.Command)
        return found


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tessera")
def tessera() -> None:
    """Personalized page fragments, decided by rules, rendered and cached on the server."""


def main() -> None:
    """Run the command line."""
    tessera()
