"""The assets that a template states, in a comment: `{# assets: /css/rail.css, /js/rail.js #}`."""

from collections.abc import Iterator

from tessera.renderer.core.assets import SUFFIXES, Asset, asset_of
from tessera.renderer.engines.comments import entries
from tessera.rules.diagnostics import Diagnostic

WORD = "assets"


def stated_assets(file: str, text: str) -> tuple[Asset, ...]:
    """Return them in order; what is none is left out."""
    found = [asset_of(entry.text) for entry in entries(file, text, WORD) or ()]
    return tuple(asset for asset in found if asset is not None)


def wrong_assets(file: str, text: str) -> Iterator[Diagnostic]:
    """Yield a complaint for each entry that is no address of an asset."""
    for entry in entries(file, text, WORD) or ():
        if asset_of(entry.text) is None:
            kinds = ", ".join(f"`{suffix}`" for suffix in SUFFIXES)
            message = f"`{entry.text}` is no address of an asset"
            help_text = f"write a path from the root, or one that begins with `https://`; it ends in one of {kinds}"
            yield Diagnostic("T118", "error", message, entry.span, help=help_text)
