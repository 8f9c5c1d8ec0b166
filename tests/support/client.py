"""The real application, asked over ASGI, with fake ports behind it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any

import httpx

from tessera.app import Parts, make_app, make_identity
from tessera.renderer.cache.base import FragmentCache
from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.fragments import Fragments
from tessera.renderer.front import App, Receive, Scope, Send
from tessera.renderer.gather import Gatherer
from tessera.renderer.pipeline import Pipeline
from tessera.renderer.recording import Recorder
from tessera.renderer.reload import LiveSite
from tessera.renderer.settings import Settings
from tessera.renderer.site import Site
from tessera.renderer.tally import Tally
from tests.support.fakes import FakeEvents, FakeExposures, World
from tests.support.sites import LOCALES, load

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SECRET = "a secret for tests only"
EDGE_SECRET = "an edge secret for tests"
CART_SECRET = "a cart secret for tests"


def settings_for_tests(**tables: object) -> Settings:
    """Settings of a production site in two locales."""
    given: dict[str, Any] = {
        "site": {"name": "Test", "locales": LOCALES},
        "secret": SECRET,
        "edge_secret": EDGE_SECRET,
        "cart_secret": CART_SECRET,
        **tables,
    }
    return Settings(**given)


def browser(app: App, **headers: str) -> httpx.AsyncClient:
    """Return what asks an application, with headers of its own in each request."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test", headers=headers)


def consenting(who: str) -> dict[str, str]:
    """Return the headers of a visitor who consents, known by a cookie."""
    signed = make_identity(settings_for_tests()).sign(who)
    return {"cookie": f"tessera_consent=granted; tessera_visitor={signed}", "sec-fetch-site": "same-origin"}


@dataclass
class Client:
    """A browser: cookies by visitor, and the application behind it."""

    http: httpx.AsyncClient
    settings: Settings
    world: World
    cache: FragmentCache
    live: LiveSite
    app: App
    fragments: Fragments
    tally: Tally
    clock: list[datetime] = field(default_factory=lambda: [NOW])

    def headers(self, visitor: str | None, **headers: str) -> dict[str, str]:
        """Return the headers of a consenting visitor; None is a stranger without any cookie."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if visitor is not None:
            sent["cookie"] = f"tessera_consent=granted; tessera_visitor={make_identity(self.settings).sign(visitor)}"
        return sent

    async def get(self, path: str, visitor: str | None = None, **headers: str) -> httpx.Response:
        """Ask as a visitor."""
        return await self.http.get(path, headers=self.headers(visitor, **headers))


@asynccontextmanager
async def client_of(
    site: Path | Site,
    world: World,
    *,
    cache: FragmentCache | None = None,
    settings: Settings | None = None,
    recorder: Recorder | None = None,
    tally: Tally | None = None,
    budget_s: float = inf,
    **terms: Any,
) -> AsyncIterator[Client]:
    """Serve a site, or the one in a folder, from fake ports. ``terms`` are those of `World.sources`."""
    settings = settings or settings_for_tests()
    cache = cache if cache is not None else MemoryCache(10_000_000)
    live = LiveSite.fixed(load(site) if isinstance(site, Path) else site)
    moments, tally = [NOW], tally or Tally()
    fragments = Fragments(cache, tally=tally)

    @asynccontextmanager
    async def opening(_settings: Settings, tally: Tally) -> AsyncIterator[Parts]:
        sources = world.sources(clock=lambda: moments[-1].timestamp(), tally=tally, **terms)
        pipeline = Pipeline(Gatherer(sources), fragments, recorder, tally=tally, budget_s=budget_s)
        yield Parts(pipeline=pipeline, exposures=FakeExposures(world), events=FakeEvents(world))

    app = make_app(settings, live, {}, lambda: moments[-1], opening, tally=tally)
    async with running(app) as served, browser(served) as http:
        yield Client(http, settings, world, cache, live, served, fragments, tally, moments)


@asynccontextmanager
async def running(app: App) -> AsyncIterator[App]:
    """Run an application's lifespan, and hand its state to every request (ASGI specification, "Lifespan")."""
    state: dict[str, Any] = {}
    inbox: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    life = asyncio.ensure_future(app({"type": "lifespan", "state": state}, inbox.get, outbox.put))
    await inbox.put({"type": "lifespan.startup"})
    assert (await outbox.get())["type"] == "lifespan.startup.complete"

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    yield served
    await inbox.put({"type": "lifespan.shutdown"})
    assert (await outbox.get())["type"] == "lifespan.shutdown.complete"
    await life


def cookies(pairs: Mapping[str, str]) -> str:
    """Write a Cookie header."""
    return "; ".join(f"{name}={value}" for name, value in pairs.items())
