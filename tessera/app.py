"""The composition root: builds adapters, cache and pipeline from settings, and mounts the routes."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypedDict

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from tessera.adapters.assignments_sqlite import SqliteAssignments
from tessera.adapters.carts_sqlite import SqliteCarts
from tessera.adapters.events_sqlite import SqliteEvents
from tessera.adapters.exposures_sqlite import SqliteExposures
from tessera.adapters.redis import SharedRedis
from tessera.adapters.sqlite import STORE, Store
from tessera.adapters.suppressed_sqlite import SqliteSuppressed
from tessera.openapi import OpenApi, describe
from tessera.publishing.erase_route import EraseRoute
from tessera.publishing.purge_route import PurgeRoute
from tessera.publishing.purging import make_carriers, secret_of
from tessera.publishing.telling import make_bridge
from tessera.renderer.admin import mounted
from tessera.renderer.cache.memory import MemoryCache
from tessera.renderer.cache.redis import RedisFragments
from tessera.renderer.core.ports import Events, Exposures
from tessera.renderer.core.stock import Stock
from tessera.renderer.core.visitor import Identity, Trust
from tessera.renderer.development import Development
from tessera.renderer.digests import Budgets, Digests
from tessera.renderer.edge import Edge
from tessera.renderer.element import Element
from tessera.renderer.following import Follower
from tessera.renderer.fragments import Fragments
from tessera.renderer.front import App, Front
from tessera.renderer.gather import Gatherer
from tessera.renderer.guards import Guards, OtherSites, nothing_there
from tessera.renderer.handshake import Handshake
from tessera.renderer.measuring import Measuring
from tessera.renderer.metrics import Metrics
from tessera.renderer.noticeboard import Noticeboard
from tessera.renderer.personas import Persona
from tessera.renderer.pipeline import Pipeline
from tessera.renderer.podlets import Podlets
from tessera.renderer.previews import Previews
from tessera.renderer.purges import Purges
from tessera.renderer.recording import Recorder
from tessera.renderer.reload import LiveSite
from tessera.renderer.routes import Routes
from tessera.renderer.settings import Settings
from tessera.renderer.site import Site
from tessera.renderer.sources import Sources
from tessera.renderer.storing import Storing
from tessera.renderer.suppressed import Suppressed
from tessera.renderer.tally import Tally
from tessera.renderer.understand import Understanding
from tessera.renderer.upstreams import open_adapter, open_profiles, open_recommender, terms_of
from tessera.tracing import Traced, make_provider

CANCELLED_AGAIN_S = 1.0
"""Seconds after which work that was told to end, and has not, is told again."""


class Parts(TypedDict):
    """What a running process answers with; the lifespan state that every request carries."""

    pipeline: Pipeline
    exposures: Exposures
    events: Events


@asynccontextmanager
async def assemble(
    settings: Settings,
    tally: Tally | None = None,
    site: LiveSite | None = None,
    suppressed: Suppressed | None = None,
) -> AsyncIterator[Parts]:
    """Open what the settings name, and close it at the end.

    ``tally`` is what is counted in; ``site`` is what a server serves, None where none does; ``suppressed`` is kept
    abreast of who is.
    """
    tally = tally or Tally()
    async with AsyncExitStack() as opened:
        store = await Store.open(settings.server.state_dir / STORE)
        opened.push_async_callback(store.close)
        events = SqliteEvents(store)
        sources = Sources(
            open_profiles(settings.profiles, store, opened),
            (open_recommender(settings.lists, store, opened), terms_of("items", settings.lists)),
            (open_adapter(settings.catalogue, store, opened), terms_of("catalogue", settings.catalogue)),
            (SqliteCarts(store), terms_of("cart", settings.carts)),
            (events, terms_of("events", settings.events)),
            (SqliteAssignments(store), terms_of("assignments", settings.assignments)),
            (open_adapter(settings.flags, store, opened), terms_of("flags", settings.flags)),
            tally=tally,
            tell_consent=settings.profiles.tell_consent,
            stock=Stock(settings.catalogue.needed, settings.catalogue.in_stock, settings.lists.spare_share),
        )
        recorder = make_recorder(settings, tally)
        if recorder is not None:
            opened.callback(recorder.close)
        redis = None
        if settings.redis.url is not None:
            redis = SharedRedis(settings.redis.url, settings.redis.deadline_ms)
            opened.push_async_callback(redis.close)
        fragments = make_fragments(settings, redis, tally)
        opened.push_async_callback(fragments.close)
        board = Noticeboard(settings.server.state_dir)
        opened.callback(board.close)
        purges = Purges(sources, fragments, lambda: site.current() if site is not None else None)
        follower = Follower(board, purges, suppressed)
        if site is not None:
            await opened.enter_async_context(running(follower.watch()))
            for carrier in await make_carriers(settings, board, opened):
                carrier.position()  # from here on it is told
                await opened.enter_async_context(running(carrier.run()))
        if redis is not None:
            await opened.enter_async_context(running(make_bridge(settings, board, redis).run()))
        budget_s = settings.server.budget_ms / 1000
        pipeline = Pipeline(Gatherer(sources), fragments, recorder, follower.look, tally, budget_s=budget_s)
        yield Parts(pipeline=pipeline, exposures=SqliteExposures(store), events=events)


def make_app(
    settings: Settings,
    site: LiveSite,
    personas: Mapping[str, Persona],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    opening: Callable[[Settings, Tally], AbstractAsyncContextManager[Parts]] | None = None,
    find: Callable[[str], Site | None] = lambda _version: None,
    tally: Tally | None = None,
) -> App:
    """Make the ASGI application that serves a site.

    Personas count in development only. ``opening`` takes the place of `assemble`; ``find`` loads another version of the
    site for whoever may preview it; ``tally`` is what this process counts in.
    """
    app: App = make_front(settings, site, personas, clock, opening, find, tally or Tally())
    if settings.http.cors_origins:
        app = OtherSites(app, settings.http.cors_origins)
    return Traced(app, make_provider()) if settings.telemetry.traces else app


def make_front(
    settings: Settings,
    site: LiveSite,
    personas: Mapping[str, Persona],
    clock: Callable[[], datetime],
    opening: Callable[[Settings, Tally], AbstractAsyncContextManager[Parts]] | None,
    find: Callable[[str], Site | None],
    tally: Tally,
) -> Front:
    """Make the same without what stands before it."""
    development = settings.server.mode == "development"
    identity = make_identity(settings)
    suppressed = Suppressed(secret_of(settings), SqliteSuppressed(settings.server.state_dir / STORE).all)
    understanding = Understanding(settings, identity, personas if development else {}, suppressed)
    previews = Previews(revealed(settings.secret) or secrets.token_hex(), find)
    edge = Edge(settings.edge.kind, settings.http.stale_s, settings.http.grace_s)
    digests, budgets = Digests(revealed(settings.secret) or secrets.token_hex()), Budgets()
    routes: list[BaseRoute] = [
        *Routes(settings, site, identity, understanding, previews, clock).routes(),
        *Element().routes(),
    ]
    routes += Podlets(site, lambda *request: front(*request)).routes()
    administrative: list[BaseRoute] = [
        *Metrics(tally, settings.server.state_dir).routes(),
        *OpenApi(lambda: describe(site.current(), routes)).routes(),
        *PurgeRoute(settings).routes(),
        *EraseRoute(settings).routes(),
    ]
    routes.append(mounted(administrative, settings.admin.port, revealed(settings.admin_token)))
    if development:
        routes += Development(site, personas, identity, settings.visitors).routes()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[Parts]:
        parts = opening(settings, tally) if opening else assemble(settings, tally, site, suppressed)
        async with running(tally.keep_telling()), running(site.watch()), parts as opened:
            yield opened

    rest = Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: nothing_there})
    rest.router.redirect_slashes = False  # it would redirect to whatever host the request names
    front = Front(
        site,
        understanding,
        previews,
        clock,
        rest,
        Storing(edge, digests, budgets, settings.http.max_age_s),
        Handshake(edge, digests, budgets, settings.http.max_context_age_s),
        Guards(settings.http),
        Measuring(
            tally,
            settings.server.max_in_flight,
            tells=development or settings.telemetry.server_timing,
            times_all=settings.telemetry.traces,
        ),
        may_force=development,
    )
    return front


def describe_routes(settings: Settings, site: LiveSite) -> dict[str, Any]:
    """Describe what the application of these settings answers, as `/-/openapi.json` does."""
    front = make_front(settings, site, {}, lambda: datetime.now(UTC), None, lambda _version: None, Tally())
    assert isinstance(front.otherwise, Starlette)
    return describe(site.current(), front.otherwise.routes)


@asynccontextmanager
async def running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do endless work beside the block, and end it with that."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        while not task.done():  # a client may have taken the cancellation for the end of a wait of its own
            task.cancel()
            await asyncio.wait([task], timeout=CANCELLED_AGAIN_S)
        await asyncio.gather(task, return_exceptions=True)


def make_identity(settings: Settings) -> Identity:
    """Make what signs and believes visitor ids. Without a secret, in development, one is drawn for this process."""
    visitors = settings.visitors
    return Identity(
        Trust(
            secret=revealed(settings.secret) or secrets.token_hex(),
            edge_secret=revealed(settings.edge_secret),
            cookie=visitors.cookie,
            plain_cookie=visitors.plain_cookie,
            consent_cookie=visitors.consent_cookie,
            consent_granted=visitors.consent_granted,
        )
    )


def make_fragments(settings: Settings, redis: SharedRedis | None, tally: Tally) -> Fragments:
    """Make the fragment cache: of this process, and of all that share a Redis, where there is one."""
    cache = settings.cache
    shared = RedisFragments(redis, cache.idle_s) if redis is not None else None
    return Fragments(MemoryCache(cache.max_bytes), shared, verify_share=cache.verify_share, tally=tally)


def make_recorder(settings: Settings, tally: Tally) -> Recorder | None:
    """Make what records decisions, where that is wanted. Without a secret, digests are of this process only."""
    recording = settings.recording
    if not recording.share:
        return None
    secret = revealed(settings.secret) or secrets.token_hex()
    return Recorder(
        recording.folder,
        secret,
        share=recording.share,
        max_bytes=recording.max_bytes,
        files=recording.files,
        tally=tally,
    )


def revealed(secret: SecretStr | None) -> str | None:
    """Return a secret's value."""
    return secret.get_secret_value() if secret else None
