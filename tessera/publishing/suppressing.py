"""Suppressing a visitor: from then on they are answered as one who refused personalization. Taking that back.

Kept is a digest of their id. It is stored before anybody is told, so that a process that starts meanwhile knows it.
"""

import asyncio
from collections.abc import Mapping
from contextlib import closing

from tessera.adapters.sqlite import STORE
from tessera.adapters.suppressed_sqlite import SqliteSuppressed
from tessera.publishing.purging import announce, secret_of
from tessera.renderer.core.labels import VISITOR, visitor_tag
from tessera.renderer.core.notices import Notice
from tessera.renderer.noticeboard import Noticeboard
from tessera.renderer.settings import Settings

NEEDS_SECRET = "suppressing needs TESSERA_SECRET to be set: what is kept of the id is a digest made with it"


async def suppress(settings: Settings, visitor_id: str, *, by: str) -> Mapping[str, str]:
    """Suppress a visitor, and wait until whoever can be reached knows; return who does not yet, and why.

    May be done again. The settings must have a secret. Raises OSError.
    """
    return await _said(settings, visitor_id, by, suppressed=True)


async def unsuppress(settings: Settings, visitor_id: str, *, by: str) -> Mapping[str, str]:
    """Take a suppression back; as `suppress`."""
    return await _said(settings, visitor_id, by, suppressed=False)


def is_suppressed(settings: Settings, visitor_id: str) -> bool:
    """Tell whether a visitor is, by the embedded store of this machine. Raises OSError."""
    return visitor_tag(visitor_id, secret_of(settings)) in SqliteSuppressed(settings.server.state_dir / STORE).all()


async def _said(settings: Settings, visitor_id: str, by: str, *, suppressed: bool) -> Mapping[str, str]:
    tags = (visitor_tag(visitor_id, secret_of(settings)),)
    stored = SqliteSuppressed(settings.server.state_dir / STORE)
    with closing(Noticeboard(settings.server.state_dir)) as board:
        await asyncio.to_thread(stored.put if suppressed else stored.drop, tags)
        notice = Notice("suppress" if suppressed else "unsuppress", tags)
        _, waiting = await announce(settings, board, notice, (VISITOR + visitor_id,), by=by)
    return waiting
