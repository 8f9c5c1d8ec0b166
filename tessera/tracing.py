"""Traces, where they are wanted: a span for each request and one for each of its stages, told over OTLP.

Only where they are wanted is OpenTelemetry imported, and this stands before everything else. How often a request is
traced, where spans go and what the service is called is told by OpenTelemetry's own variables, such as
`OTEL_EXPORTER_OTLP_ENDPOINT` and `OTEL_TRACES_SAMPLER` (opentelemetry.io, "Environment Variable Specification").
"""

import asyncio
import time
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from tessera.renderer.core.carried import SPAN, traced
from tessera.renderer.front import App, Receive, Scope, Send
from tessera.renderer.measuring import ANY_ROUTE, TIMING
from tessera.renderer.tally import ROUTES
from tessera.renderer.timing import Timing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

METHODS = ("GET", "HEAD", "POST", "OPTIONS")
NS = 1_000_000_000


class Traced:
    """An application whose requests are traced. No span names a visitor, or quotes what a request sent."""

    def __init__(self, app: App, provider: "TracerProvider") -> None:
        """``provider`` makes spans and tells them; it is shut down with the application."""
        from opentelemetry.trace import SpanKind, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._app = app
        self._provider = provider
        self._tracer = provider.get_tracer("tessera")
        self._words = TraceContextTextMapPropagator()
        self._within = set_span_in_context
        self._server = SpanKind.SERVER

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope (ASGI 3.0)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            if scope["type"] == "lifespan":
                await asyncio.to_thread(self._provider.shutdown)  # waits for what is still to be told
            return
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        route = _route(scope["path"])
        parent = self._words.extract(traced(scope))
        timing = Timing()
        span = self._tracer.start_span(f"{method} {route}", parent, self._server)
        told: dict[str, str] = {}
        self._words.inject(told, self._within(span))
        scope[SPAN], scope[TIMING] = told, timing

        async def noted(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                span.set_attributes(_attributes(method, route, message["status"], scope["path"]))
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            self._tell_stages(span, timing)
            span.end()

    def _tell_stages(self, span: "Span", timing: Timing) -> None:
        """Make a span of each stage that has been."""
        within, begin_ns = self._within(span), time.time_ns() - int(timing.elapsed_s * NS)
        for stage, began_s, ended_s in timing.laps:
            start_ns = begin_ns + int((began_s - timing.began_s) * NS)
            part = self._tracer.start_span(stage, within, start_time=start_ns)
            part.end(start_ns + int((ended_s - began_s) * NS))


def make_provider() -> "TracerProvider":
    """Make what tells spans over OTLP, in batches beside the answers."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({"service.name": "tessera"}).merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _route(path: str) -> str:
    """Return a route's name; what visitors make up is all one."""
    first = next((part for part in path.split("/")[1:3] if part in ROUTES), ANY_ROUTE)
    return f"/{first}"


def _attributes(method: str, route: str, status: int, path: str) -> Mapping[str, str | int]:
    """Describe a request (OpenTelemetry, "Semantic conventions for HTTP spans"); its path where there is something."""
    told: dict[str, str | int] = {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
    }
    if status < 400:
        told["url.path"] = path
    return told
