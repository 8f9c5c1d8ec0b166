"""The embedded store, made where a verb needs it."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from tessera.adapters.sqlite import STORE, Interaction, Seed, fill, prepare
from tessera.cli.site import DEMO, fail
from tessera.renderer.settings import Settings


def prepare_store(folder: Path, settings: Settings) -> None:
    """Make the embedded store; that of the demo is filled with its shop. Where that fails, say so and leave."""
    store = settings.server.state_dir / STORE
    try:
        if prepare(store) and folder == DEMO:
            from tessera.demo.seed import world  # only now: most starts find the store filled

            made = world(datetime.now(UTC))
            fill(store, Seed(made.items, made.visitors, map(Interaction._make, made.interactions), made.carts))
    except (OSError, sqlite3.Error) as failure:
        cannot_keep(settings, failure)


def cannot_keep(settings: Settings, failure: OSError | sqlite3.Error) -> NoReturn:
    """Say that the state folder cannot be used, and leave."""
    why = getattr(failure, "strerror", None) or failure
    place = settings.server.state_dir
    fail(f"state cannot be written to {place} ({why}): mend it, make room, or name another folder with --state-dir")
