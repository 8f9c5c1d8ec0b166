"""Traces: which spans a request makes, whose child it is, what upstreams are told, and that all of it is sent."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tessera.renderer.core.carried import trace_headers
from tessera.renderer.core.ports import Profile
from tessera.tracing import Traced, make_provider
from tests.support.client import Client, client_of, settings_for_tests
from tests.support.fakes import World
from tests.support.sites import write_site

PAGE = "page: home\nslots:\n  hero: {default: {template: hero.liquid}}\n"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Watched(World):
    """Upstreams that note which trace a call belongs to."""

    def __init__(self) -> None:
        super().__init__(profiles={"ann": Profile({"first_name": "Ann"})})
        self.told: list[str] = []

    async def asked(self, source: str, what: object) -> None:
        self.told.append(trace_headers()["traceparent"])
        await super().asked(source, what)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path, {"home.yaml": PAGE}, {"hero.liquid": "{{ visitor.first_name }}"})


async def ask(client: Client, path: str, visitor: str | None = None, **sent: str) -> list[ReadableSpan]:
    """The spans that one request makes."""
    provider, kept = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    transport = httpx.ASGITransport(app=Traced(client.app, provider))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        await http.get(path, headers=client.headers(visitor, **sent))
    return list(kept.get_finished_spans())


async def test_a_request_is_a_span_and_so_is_each_stage_of_it(site: Path) -> None:
    world = Watched()
    settings = settings_for_tests(telemetry={"server_timing": True})
    async with client_of(site, world, settings=settings) as client:
        *stages, whole = await ask(client, "/fragments/home/hero?q=secret", "ann", traceparent=PARENT)
        warm = await ask(client, "/fragments/home/hero", "ann")
    assert whole.context is not None
    assert whole.parent is not None
    assert f"00-{whole.context.trace_id:032x}-{whole.parent.span_id:016x}-01" == PARENT
    assert (whole.name, dict(whole.attributes or {})) == (
        "GET /fragments",
        {
            "http.request.method": "GET",
            "http.route": "/fragments",
            "http.response.status_code": 200,
            "url.path": "/fragments/home/hero",
        },
    )
    assert list(dict.fromkeys(each.name for each in stages)) == ["understand", "gather", "decide", "cache", "render"]
    for each in stages:
        assert each.parent is not None
        assert each.parent.span_id == whole.context.span_id
        assert (whole.start_time or 0) - 1_000_000 <= (each.start_time or 0) <= (each.end_time or 0)
    assert world.told == [f"00-{whole.context.trace_id:032x}-{whole.context.span_id:016x}-01"]
    assert [each.name for each in warm] == ["understand", "at_hand", "GET /fragments"]


async def test_no_span_holds_what_a_stranger_made_up(site: Path) -> None:
    async with client_of(site, World()) as client:
        for path in ("/maren@example.com", "/fragments/home/maren@example.com", "/pages/maren@example.com"):
            (span,) = await ask(client, path, traceparent="00-maren@example.com")
            assert span.parent is None
            assert "maren" not in span.to_json()


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Where spans go, and what has come."""
    came: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", came
    server.shutdown()
    server.server_close()


def test_spans_are_sent_where_opentelemetrys_variables_say(
    collector: tuple[str, list[tuple[str, bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, came = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    provider = make_provider()
    provider.get_tracer("test").start_span("GET /fragments").end()
    provider.shutdown()
    ((path, body),) = came
    assert path == "/v1/traces"
    assert b"GET /fragments" in body
    assert b"tessera" in body
