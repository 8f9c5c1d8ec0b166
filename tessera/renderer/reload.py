"""The site that is live now: it changes whole, between two requests, when what is wanted changes."""

import asyncio
import logging
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tessera.renderer.loader import LoadedSite
from tessera.renderer.site import Site, switch_off
from tessera.rules.switches import Switch

POLL_S = 0.2
"""Seconds between two looks for news: a switch is to work within a second, and an edit to show at once."""

LOOK_S = 1.0
"""Seconds after which files are looked at although there is no news: who changed them may not have told."""

log = logging.getLogger("tessera")


class Wanted(NamedTuple):
    """What should be live: which content, by anything that tells it from other content, and what is switched off."""

    content: Hashable
    switches: frozenset[Switch] = frozenset()


class LiveSite:
    """Holds one version of the site. A request works with the version that was live when it began."""

    def __init__(
        self,
        site: Site,
        load: Callable[[], LoadedSite],
        wanted: Callable[[], Wanted],
        told: Callable[[], int] = lambda: 0,
        *,
        at_each_request: bool,
    ) -> None:
        """``site`` is what ``load`` gave for the content that is wanted now.

        What is wanted is looked at before each request (in development, where an edit shows on the next one), or by
        `watch`: at once where the number that ``told`` gives is another one, else now and then. Where ``load`` finds
        errors, or either raises OSError, what is live stays.
        """
        self._loaded = site
        self._load = load
        self._wanted = wanted
        self._told = told
        self._at_each_request = at_each_request
        self._heard = told()
        self._seen = wanted()
        self._site = switch_off(site, self._seen.switches)

    @staticmethod
    def fixed(site: Site) -> "LiveSite":
        """Make one that never changes."""
        return LiveSite(site, lambda: LoadedSite((), {}, site), lambda: Wanted(None), at_each_request=False)

    def current(self) -> Site:
        """Return the live version."""
        if self._at_each_request:
            self.refresh()
        return self._site

    def refresh(self) -> None:
        """Look at what is wanted, and change to it."""
        try:
            wanted = self._wanted()
            if wanted == self._seen:
                return
            if wanted.content != self._seen.content:
                loaded = self._load()
                if loaded.site is None:
                    log.error("the last good version keeps serving\n%s", loaded.text())
                else:
                    self._loaded = loaded.site
        except OSError as failure:
            log.error("the last good version keeps serving: %s", failure)
            return
        self._seen = wanted
        site = switch_off(self._loaded, wanted.switches)
        if site.version != self._site.version:
            self._site = site
            log.info("site %s is live", site.version[:12])

    async def watch(self) -> None:
        """Keep looking, without holding up requests. Runs until it is cancelled."""
        quiet_s = 0.0
        while not self._at_each_request:
            await asyncio.sleep(POLL_S)
            quiet_s += POLL_S
            heard = self._told()
            if heard != self._heard or quiet_s >= LOOK_S:
                self._heard, quiet_s = heard, 0.0
                await asyncio.to_thread(self.refresh)


def edits(folder: Path) -> Iterator[None]:
    """Yield at once, and again after each edit of a site's rules, templates or translations; end when interrupted."""
    known = None
    with suppress(KeyboardInterrupt):
        while True:
            found = stamps(folder)
            if found != known:
                known = found
                yield
            else:
                time.sleep(POLL_S)


def stamps(folder: Path) -> Hashable:
    """Return the times and sizes of all files that authors edit: another value after any edit."""
    found: list[tuple[str, int, int]] = []
    for part in ("rules", "templates", "locales"):
        for file in (folder / part).rglob("*"):
            try:
                status = file.stat()
            except FileNotFoundError:  # removed, or replaced by an editor, while we look
                continue
            found.append((str(file), status.st_mtime_ns, status.st_size))
    return frozenset(found)
