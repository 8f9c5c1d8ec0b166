"""`tessera fmt`."""

import sys
from pathlib import Path

import click

from tessera.cli.site import fail, site_option
from tessera.rules.diagnostics import Diagnostic, render_text
from tessera.rules.formatting import tidied
from tessera.rules.load import read_source, rule_files


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[FILE]...")
@site_option
@click.option("--check", "only_check", is_flag=True, help="Write nothing; say which files would change.")
def fmt(files: tuple[Path, ...], folder: Path, only_check: bool) -> None:
    """Give rule files their one form: those named, folders with all that is in them, else all of the site.

    Exits with 0 where all is well, with 1 where a file cannot be read as rules or, with --check, would change, and
    with 2 where there is no such file.
    """
    complaints: list[Diagnostic] = []
    sources = {}
    changed = 0
    given = files or (folder / "rules",)
    for path in [each for one in given for each in (rule_files(one) if one.is_dir() else (one,))]:
        source = read_source(path, Path.cwd(), complaints)
        if source is None:
            continue
        sources[source.file] = source
        text = tidied(source, complaints)
        if text == source.text:
            continue
        changed += 1
        click.echo(f"{source.file} would change" if only_check else f"{source.file} changed")
        if not only_check:
            _write(path, text)
    click.echo(render_text(complaints, sources, color=sys.stdout.isatty()), nl=False)
    sys.exit(1 if complaints or (only_check and changed) else 0)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}")
