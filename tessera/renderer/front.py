"""The two routes that visitors' pages are made of: `/fragments/{page}/{slot}` and `/pages/{page}`.

Plain ASGI, in front of everything else: every microsecond here is paid by each request. A locale of the site may
stand before either path, as in `/de/pages/home`.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from tessera.renderer.cache.base import Fragment
from tessera.renderer.core.declared import coerced
from tessera.renderer.gather import NOT_TOLD, Asked
from tessera.renderer.pipeline import Answer, Pipeline
from tessera.renderer.plans import PagePlan, SlotPlan
from tessera.renderer.reload import LiveSite
from tessera.renderer.respond import NO_STORE, PRIVATE, Response, html, public, text
from tessera.renderer.site import Site
from tessera.renderer.understand import Understanding

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Mapping[bytes, bytes]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_PARAMETERS = 50
NO_PAGE = text(404, "There is no such page.\n")
NO_LAYOUT = text(404, "This page has no layout; ask for its fragments.\n")
NO_SLOT = text(404, "There is no such slot.\n")
NOT_HERE = text(405, "Only GET and HEAD are answered here.\n")
NOT_HERE.headers.append((b"allow", b"GET, HEAD"))


class Front:
    """Answers for fragments and pages, and hands every other request on.

    The pipeline is found in the lifespan state of the scope (ASGI specification, "Lifespan state").
    """

    def __init__(
        self,
        site: LiveSite,
        understanding: Understanding,
        clock: Callable[[], datetime],
        otherwise: App,
        *,
        max_age_s: float,
        may_force: bool,
    ) -> None:
        """``max_age_s`` bounds what is told downstream; ``may_force`` lets a query show an arm to whoever asks."""
        self._site = site
        self._understanding = understanding
        self._clock = clock
        self._max_age_s = max_age_s
        self._may_force = may_force
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope (ASGI 3.0)."""
        if scope["type"] == "http":
            parts = scope["path"].split("/")
            site = self._site.current()
            locale = parts.pop(1) if len(parts) > 2 and parts[1] in site.locales else None
            response: Response | None = None
            if len(parts) == 4 and parts[1] == "fragments":
                response = await self._fragment(scope, site, locale, parts[2], parts[3])
            elif len(parts) == 3 and parts[1] == "pages":
                response = await self._page(scope, site, locale, parts[2])
            if response is not None:
                await _send(response, scope["method"], send)
                return
        await self._otherwise(scope, receive, send)

    async def _fragment(self, scope: Scope, site: Site, locale: str | None, page: str, slot: str) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return NOT_HERE
        page_plan = site.pages.get(page)
        if page_plan is None:
            return NO_PAGE
        plan = page_plan.slots.get(slot)
        if plan is None:
            return NO_SLOT
        pipeline: Pipeline = scope["state"]["pipeline"]
        headers = dict(scope["headers"])
        answer = await pipeline.slot(self._asked(scope, headers, site, page_plan, locale), plan)
        return self._response(headers, answer.fragment, plan, {slot: answer})

    async def _page(self, scope: Scope, site: Site, locale: str | None, page: str) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return NOT_HERE
        plan = site.pages.get(page)
        if plan is None:
            return NO_PAGE
        if plan.layout is None:
            return NO_LAYOUT
        pipeline: Pipeline = scope["state"]["pipeline"]
        headers = dict(scope["headers"])
        answer = await pipeline.page(self._asked(scope, headers, site, plan, locale), plan.layout, plan.slots)
        return self._response(headers, answer.fragment, plan, {"layout": answer.layout, **answer.slots})

    def _response(
        self, headers: Headers, fragment: Fragment, plan: SlotPlan | PagePlan, answers: Mapping[str, Answer]
    ) -> Response:
        """Send what was answered. A stand-in is never stored, and only what is public is shared."""
        extra = fallbacks(answers)
        if extra:
            caching = NO_STORE
        elif plan.scope == "public":
            caching = public(min(plan.max_age_s, self._max_age_s, *(each.lifetime_s for each in answers.values())))
        else:
            caching = PRIVATE
        return html(fragment, caching, headers.get(b"if-none-match"), extra)

    def _asked(self, scope: Scope, headers: Headers, site: Site, plan: PagePlan, locale: str | None) -> Asked:
        """Understand the request; its query is read by the page's declared parameters."""
        query, declared = scope["query_string"], site.declared
        context = self._understanding.context(headers, declared, locale)
        now = self._clock()
        return Asked(
            context,
            declared,
            now,
            now.timestamp(),
            coerced(plan.parameters, query_of(query)) if query else NOT_TOLD,
            self._understanding.cart(headers, declared),
            forced=query_of(query).get("force") if query and self._may_force else None,
        )


def query_of(query: bytes) -> Mapping[str, str]:
    """Read a query string: of a repeated parameter the first counts, and one with too many counts for none."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return {}
    return dict(reversed(pairs))


def fallbacks(answers: Mapping[str, Answer]) -> list[tuple[bytes, bytes]]:
    """Say which slots got less than they should have, and why: `Tessera-Fallback` (a dictionary, RFC 9651)."""
    members = [
        f'{name}={answer.rung};cause="{", ".join(answer.problems)}"'
        for name, answer in answers.items()
        if answer.rung != "fresh"
    ]
    if not members:
        return []
    return [(b"tessera-fallback", ", ".join(members).encode("ascii", "replace"))]


async def _send(response: Response, method: str, send: Send) -> None:
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else response.body})
