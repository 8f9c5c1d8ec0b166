"""`tessera adapters`: what can be asked, and what is."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import click
from pydantic.fields import FieldInfo

from tessera.adapters.registry import Port, adapter_of, adapters_of
from tessera.cli.site import offline_settings, site_option
from tessera.renderer.settings import Settings


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of an adapter's own; ``default`` is JSON, None where it must be set."""

    name: str
    default: str | None
    meaning: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One adapter of a port: the package that brings it, whether the site asks it, and what it can be told.

    ``lacks`` says why it cannot be used, where that is so.
    """

    port: Port
    name: str
    package: str
    configured: bool
    settings: tuple[Setting, ...]
    lacks: str | None


@click.command()
@site_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def adapters(folder: Path, as_json: bool) -> None:
    """List the adapters by port, with their settings, and tell which of them the site asks.

    What every upstream can be told, such as its deadline, is not among these settings.
    """
    settings = offline_settings(folder)
    ports: Sequence[Port] = get_args(Port)
    entries = [entry_of(port, name, package, settings) for port in ports for name, package in adapters_of(port)]
    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in entries], indent=2))
        return
    for port in ports:
        click.echo(f"[{port}]")
        for entry in entries:
            if entry.port == port:
                click.echo(_told(entry))


def entry_of(port: Port, name: str, package: str, settings: Settings) -> Entry:
    """Tell of one adapter, whose module is imported for it."""
    configured = getattr(settings, port).adapter == name
    try:
        options = adapter_of(port, name).Options.model_fields
    except ImportError as failure:
        return Entry(port, name, package, configured, (), str(failure))
    found = tuple(Setting(key, _default(field), field.description or "") for key, field in options.items())
    return Entry(port, name, package, configured, found, None)


def _told(entry: Entry) -> str:
    mark = "*" if entry.configured else " "
    package = "" if entry.package == "tessera" else f"  (from the package {entry.package})"
    lines = [f"{mark} {entry.name}{package}"]
    if entry.lacks is not None:
        lines.append(f"      cannot be used: {entry.lacks}")
    width = max((len(setting.name) for setting in entry.settings), default=0)
    for each in entry.settings:
        default = "must be set" if each.default is None else f"default {each.default}"
        lines.append(f"      {each.name:<{width}}  {each.meaning} ({default})")
    return "\n".join(lines)


def _default(field: FieldInfo) -> str | None:
    return None if field.is_required() else json.dumps(field.get_default(call_default_factory=True), default=str)
