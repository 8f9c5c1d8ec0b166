"""`tessera schema`."""

from pathlib import Path
from shutil import copyfile

import click

import tessera.rules
from tessera.cli.site import fail

SCHEMAS = Path(tessera.rules.__file__).parent / "schemas"


@click.command()
@click.option(
    "--write",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder to write them to, such as my-shop/rules/.schemas; made if missing.",
)
def schema(folder: Path) -> None:
    """Write the JSON Schemas of rule files, for editors that complete and check as one types."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(SCHEMAS.glob("*.json")):
            copyfile(file, folder / file.name)
            click.echo(folder / file.name)
    except OSError as error:
        fail(f"{folder} cannot be written: {error.strerror}")
