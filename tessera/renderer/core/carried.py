"""What a request carries along to wherever work is done for it: logs and calls upstream can tell which one it is.

It goes by a context variable (PEP 567), as neither ports nor log records have a place for it, and setting one costs
some 0.1 µs. What it names is read only where something is told.
"""

import re
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

REQUEST: ContextVar[MutableMapping[str, Any]] = ContextVar("tessera_request")
"""The ASGI scope of the request that is being answered; not set where none is."""

TRACE = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
MAX_STATE_BYTES = 512


SPAN = "tessera.span"
"""The key in a request's scope of the headers that name its span, where Tessera makes one."""


def trace_headers() -> Mapping[str, str]:
    """Return the headers that tie a call upstream to the trace that the request is part of, none where it is in none.

    They name Tessera's own span, where it makes one. Else they go on as they came (W3C, Trace Context, section 3.4: a
    service that takes no part in a trace passes it through).
    """
    scope = REQUEST.get(None)
    if scope is None:
        return {}
    own: Mapping[str, str] | None = scope.get(SPAN)
    return traced(scope) if own is None else own


def traced(scope: MutableMapping[str, Any]) -> Mapping[str, str]:
    """Return `traceparent` and `tracestate` of a request, but only where they are such, so that they carry no more."""
    headers = dict(scope["headers"])
    parent = headers.get(b"traceparent", b"")
    if not TRACE.fullmatch(parent):
        return {}
    state = headers.get(b"tracestate", b"")
    told = {"traceparent": parent.decode()}
    if state and len(state) <= MAX_STATE_BYTES and state.isascii():
        told["tracestate"] = state.decode()
    return told
