"""One deployment of a site: the folder that is edited, the releases made of it, and what is switched off."""

from pathlib import Path
from zoneinfo import ZoneInfo

from tessera.publishing.releases import Releases
from tessera.publishing.switchboard import Switchboard
from tessera.renderer.engines.base import Limits
from tessera.renderer.loader import LoadedSite, Report, SiteLoader
from tessera.renderer.reload import LiveSite, Wanted, stamps
from tessera.renderer.settings import Settings
from tessera.renderer.site import Site


class NotServable(Exception):
    """The site has errors; ``report`` holds the complaints."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.text())
        self.report = report


class Deployment:
    """What a server serves: in development the folder as it is edited, in production the live release.

    In production the folder itself is served until the first release is made of it, as it was at the start.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self.releases = Releases(settings.server.state_dir / "releases")
        self.switchboard = Switchboard(settings.server.state_dir / "switches.json")
        self._in_development = settings.server.mode == "development"

    def loader(self, folder: Path) -> SiteLoader:
        """Return what loads a version of the site, again and again, from the folder where it stands."""
        bounds = self.settings.rendering
        limits = Limits(steps=bounds.max_steps, render_ms=bounds.max_ms, output_bytes=bounds.max_output_bytes)
        return SiteLoader(folder, self.settings.site.locales, limits, ZoneInfo(self.settings.site.zone))

    def load(self, folder: Path) -> LoadedSite:
        """Load a version of the site once."""
        return self.loader(folder).load()

    def site(self, folder: Path) -> Site:
        """Load a version that has no errors. Raises `NotServable`."""
        loaded = self.load(folder)
        if loaded.site is None:
            raise NotServable(loaded)
        return loaded.site

    def served(self) -> Path:
        """Return the folder of what is to be served."""
        version = None if self._in_development else self.releases.live()
        return self.folder if version is None else self.releases.folder / version

    def live_site(self) -> LiveSite:
        """Load what is to be served, and keep to it. Raises `NotServable`, and OSError for unreadable switches."""
        edited = self.loader(self.folder)
        load = edited.load if self._in_development else lambda: self.load(self.served())
        loaded = load()
        if loaded.site is None:
            raise NotServable(loaded)
        return LiveSite(loaded.site, load, self._wanted, at_each_request=self._in_development)

    def release(self, version: str) -> Site | None:
        """Load a release by its name or the beginning of it; None where there is no such one."""
        found = [name for name in self.releases.versions() if name.startswith(version)]
        return self.load(self.releases.folder / found[0]).site if len(found) == 1 else None

    def _wanted(self) -> Wanted:
        content = stamps(self.folder) if self._in_development else self.releases.live()
        return Wanted(content, self.switchboard.switches())
