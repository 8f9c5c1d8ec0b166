"""Servers that are measured, each in a process of its own, on uvicorn as Tessera runs on it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx
import jinja2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

SITE = Path(__file__).parent / "site"
SECRET = "a secret for benchmarks only"
TIERS = ("none", "silver", "gold", "platinum")


def profile(visitor_id: str) -> dict[str, Any]:
    """Return the profile of a visitor ``v<number>``."""
    number = int(visitor_id.removeprefix("v") or 0)
    traits = {"first_name": f"Name {number}", "tier": TIERS[number % 4], "sessions_30d": number % 9}
    return {"traits": traits, "segments": ["vip"] if number % 7 == 0 else []}


def bestsellers() -> list[dict[str, Any]]:
    """Return the one list there is."""
    return [
        {
            "sku": f"SKU-{n}",
            "title": f"Tent number {n}",
            "brand": "Fell & Co",
            "price": {"amount": 10_000 + n, "currency": "EUR"},
        }
        for n in range(8)
    ]


def upstreams() -> Starlette:
    """Make the profile service and the recommender that everybody asks; the kind of list in ``HANGS`` takes 10 s."""

    async def profiles(request: Request) -> Response:
        return JSONResponse(profile(request.path_params["visitor"]))

    async def lists(request: Request) -> Response:
        if request.path_params["kind"] == os.environ.get("HANGS"):
            await asyncio.sleep(10)
        return JSONResponse({"items": bestsellers()})

    return Starlette(routes=[Route("/profiles/{visitor}", profiles), Route("/lists/{kind}", lists)])


async def bare(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
    """Answer every request with a constant of the size that the fragment has."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = b"x" * int(os.environ["BODY_BYTES"])
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def uncached() -> Starlette:
    """Make what one would write instead: Starlette, Jinja2 and httpx, asking both upstreams for every request."""
    upstream = os.environ["UPSTREAM"]
    client = httpx.AsyncClient()
    environment = jinja2.Environment(autoescape=True, loader=jinja2.FileSystemLoader(SITE / "templates"))
    environment.filters["money"] = _money
    template = environment.get_template("rail.jinja")

    async def rail(request: Request) -> Response:
        visitor = request.cookies["tessera_visitor"].split(".")[0]
        known, listed = await asyncio.gather(
            client.get(f"{upstream}/profiles/{visitor}"), client.get(f"{upstream}/lists/popular")
        )
        found = known.json()
        traits = found["traits"]
        regular = traits["sessions_30d"] >= 5
        member = (
            ("vip" in found["segments"] and "Mobi" in request.headers["user-agent"])
            or traits["tier"] == "platinum"
            or (traits["tier"] == "gold" and regular)
            or (traits["tier"] == "silver" and not regular)
        )
        cta = {"text": "To your shelf", "url": f"/pages/home?tier={traits['tier']}"}
        html = template.render(
            visitor=traits,
            items=listed.json()["items"],
            locale="en",
            cta=cta if member else {"text": "Look around", "url": "/pages/home"},
        )
        return HTMLResponse(html)

    return Starlette(routes=[Route("/fragments/home/rail", rail)])


def _money(price: Mapping[str, Any], locale: str) -> str:
    from babel.numbers import format_currency

    return format_currency(price["amount"] / 100, price["currency"], locale=locale)


@contextmanager
def running(name: str, **environment: str) -> Iterator[int]:
    """Run one of the servers above, and give its port."""
    command = [sys.executable, __file__, name]
    with process(command, environment) as port:
        yield port


@contextmanager
def tessera(state: Path, **environment: str) -> Iterator[int]:
    """Run Tessera with the benchmark's site, and give its port."""
    command = [sys.executable, "-m", "tessera", "serve", "--site", str(SITE), "--port", "0", "--state-dir", str(state)]
    with process(command, {"TESSERA_SECRET": SECRET, **environment}) as port:
        yield port


@contextmanager
def process(command: list[str], environment: Mapping[str, str]) -> Iterator[int]:
    """Run a server that prints its address first, and give its port."""
    with started(command, environment) as (_, port):
        yield port


@contextmanager
def started(
    command: list[str], environment: Mapping[str, str], log: IO[str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run such a server, and give it with its port. Where a file is named it writes its log there."""
    found = {**os.environ, **environment}
    with subprocess.Popen(command, env=found, stdout=subprocess.PIPE, stderr=log, text=True) as running:
        assert running.stdout is not None
        try:
            line = running.stdout.readline()
            assert line, f"it ended before it served: {command}"
            yield running, int(line.rstrip("/\n").rpartition(":")[2])
        finally:
            running.terminate()


if __name__ == "__main__":
    apps: Mapping[str, Any] = {"upstreams": upstreams, "uncached": uncached, "bare": lambda: bare}
    config = uvicorn.Config(apps[sys.argv[1]](), port=0, access_log=False, log_level="warning", server_header=False)
    listener = config.bind_socket()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run([listener])
