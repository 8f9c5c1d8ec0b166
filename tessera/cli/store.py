"""The embedded store, made where a verb needs it."""

from datetime import UTC, datetime
from pathlib import Path

from tessera.adapters.sqlite import STORE, Interaction, Seed, fill, prepare
from tessera.cli.site import DEMO
from tessera.renderer.settings import Settings


def prepare_store(folder: Path, settings: Settings) -> None:
    """Make the embedded store; that of the demo is filled with its shop."""
    store = settings.server.state_dir / STORE
    if prepare(store) and folder == DEMO:
        from tessera.demo.seed import world  # only now: most starts find the store filled

        made = world(datetime.now(UTC))
        fill(store, Seed(made.items, made.visitors, map(Interaction._make, made.interactions), made.carts))
