"""The site that is live now. In development an edit shows on the next request; a broken one changes nothing."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from tessera.renderer.loader import LoadedSite
from tessera.renderer.site import Site

POLL_S = 0.2
"""Seconds between two looks at the files that authors edit."""

log = logging.getLogger("tessera")


class LiveSite:
    """Holds one version of the site. A request works with the version that was live when it began."""

    def __init__(self, site: Site, load: Callable[[], LoadedSite] | None = None) -> None:
        """``load`` is given in development only: it reads the site anew."""
        self._site = site
        self._load = load
        self._stamps = _stamps(site.folder) if load else {}

    def current(self) -> Site:
        """Return the live version, having looked for edits in development."""
        if self._load is not None:
            stamps = _stamps(self._site.folder)
            if stamps != self._stamps:
                self._stamps = stamps
                self._reload(self._load)
        return self._site

    def _reload(self, load: Callable[[], LoadedSite]) -> None:
        loaded = load()
        if loaded.site is None:
            log.error("the last good version keeps serving\n%s", loaded.text())
        else:
            self._site = loaded.site
            log.info("site %s is live", loaded.site.version[:12])


def edits(folder: Path) -> Iterator[None]:
    """Yield at once, and again after each edit of a site's rules or templates; end when interrupted."""
    known = None
    with suppress(KeyboardInterrupt):
        while True:
            stamps = _stamps(folder)
            if stamps != known:
                known = stamps
                yield
            else:
                time.sleep(POLL_S)


def _stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the time and size of every file that authors edit."""
    stamps: dict[str, tuple[int, int]] = {}
    for part in ("rules", "templates"):
        for file in (folder / part).rglob("*"):
            try:
                status = file.stat()
            except FileNotFoundError:  # removed, or replaced by an editor, while we look
                continue
            stamps[str(file)] = (status.st_mtime_ns, status.st_size)
    return stamps
