"""`?compose=stream`: a page whose head goes out at once, and whose slow fragments hold nothing up.

Fragments stand where they belong if they are ready when their turn comes. One that is not leaves a place, in which
the slot's default stands, and comes before the end of the page as a template for that place. Browsers with declarative
partial updates put it there; for others a script follows each. Sources: developer.chrome.com, "Declarative partial
updates"; WICG, declarative-partial-updates, "Patching explainer".
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, MutableMapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from tessera.renderer.core.layout import parts, with_head
from tessera.renderer.core.policy import hash_of
from tessera.renderer.edge import PRIVATE
from tessera.renderer.gather import Asked
from tessera.renderer.pipeline import Answer, Pipeline
from tessera.renderer.plans import OutcomePlan, PagePlan
from tessera.renderer.respond import HTML, Headers

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATIENCE_S = 0.005
"""How long, in all, a page waits for fragments that are not ready when their turn comes."""

HEADERS: Headers = [HTML, *PRIVATE, (b"x-accel-buffering", b"no")]
"""Of every streamed page; nginx would hold it back until it is whole ("ngx_http_proxy_module", `proxy_buffering`)."""

SCRIPT = (Path(__file__).parent / "assets" / "fill-in.js").read_bytes().strip()
FILL_IN_HASH = hash_of(SCRIPT.decode())
"""What allows the script in a Content-Security-Policy (W3C, "Content Security Policy Level 3", section 2.3.1)."""

_BODY_BEGINS = re.compile(rb"<body[\s>]", re.IGNORECASE)
_BODY_ENDS = re.compile(rb"</body\s*>", re.IGNORECASE)


async def send_page(
    pipeline: Pipeline,
    asked: Asked,
    page: PagePlan,
    guards: Callable[[PagePlan, OutcomePlan], Headers],
    receive: Receive,
    send: Send,
) -> None:
    """Send a page that has a layout until it is whole or its reader has gone; ``guards`` gives more headers for it."""
    assert page.layout is not None
    layout = await pipeline.slot(asked, page.layout)
    outcome = page.layout.outcome(layout.decision)
    body = with_head(layout.fragment.body, outcome.head.markup)
    answers = pipeline.begin(asked, [plan for name, plan in page.slots.items() if name in outcome.slots])

    async def stand_in(slot: str) -> bytes:
        return (await pipeline.stand_in(asked, page.slots[slot])).body

    async def sent() -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *guards(page, outcome)]})
        async with aclosing(pieces(body, answers, stand_in)) as made:
            async for piece in made:
                if piece:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    await _while_heard(sent(), receive)


async def pieces(
    layout: bytes, answers: Mapping[str, "asyncio.Future[Answer]"], stand_in: Callable[[str], Awaitable[bytes]]
) -> AsyncGenerator[bytes]:
    """Yield a page piece by piece; `stand_in` gives what a slot that is late shows until it is there.

    Before `<body>` everything is waited for: only there can places be filled in. Who stops early ends what was begun.
    """
    texts, slots = parts(layout)
    late: dict[str, asyncio.Future[Answer]] = {}
    try:
        yield texts[0]
        in_body, until_s = _begins(texts[0]), _now_s() + PATIENCE_S
        for place, (slot, text) in enumerate(zip(slots, texts[1:], strict=True)):
            answer = answers.get(slot)
            if answer is not None:
                await asyncio.wait([answer], timeout=max(0.0, until_s - _now_s()) if in_body else None)
            if answer is None:
                pass  # an author's own comment that looks like a mark
            elif answer.done():
                yield answer.result().fragment.body
            else:
                name = f"{slot}-{place}"
                late[name] = answer
                yield b'<?start name="%s">%s<?end>' % (name.encode(), await stand_in(slot))
            in_body = in_body or _begins(text)
            if place < len(slots) - 1:
                yield text
        last = texts[-1] if slots else b""
        ends = [found.start() for found in _BODY_ENDS.finditer(last)]
        end = ends[-1] if ends else len(last)
        yield last[:end]
        async for piece in _filled_in(late):
            yield piece
        yield last[end:]
    finally:
        for answer in answers.values():
            answer.cancel()


async def _while_heard(sending: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Send until all is sent, or, by ASGI's `http.disconnect`, nobody listens any longer."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    first, *_ = both = [asyncio.ensure_future(sending), asyncio.ensure_future(gone())]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in both:
            each.cancel()
        await asyncio.wait(both)
    if not first.cancelled():
        first.result()


async def _filled_in(late: Mapping[str, "asyncio.Future[Answer]"]) -> AsyncGenerator[bytes]:
    """Yield what is late, each as soon as it is ready."""

    async def written(name: str, answer: "asyncio.Future[Answer]") -> bytes:
        body = (await answer).fragment.body
        return b'<template for="%s">%s</template><script>%s</script>' % (name.encode(), body, SCRIPT)

    for ready in asyncio.as_completed([written(*each) for each in late.items()]):
        yield await ready


def _begins(text: bytes) -> bool:
    return _BODY_BEGINS.search(text) is not None


def _now_s() -> float:
    return asyncio.get_running_loop().time()
