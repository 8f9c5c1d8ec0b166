"""Log lines: for people, or as JSON objects that say which request they belong to.

No line holds anything that a visitor sent or is: of an error that nobody expected the type and the places are told,
not its message, which could quote a value. Only the code and its author's files can say what a line says.
"""

import json
import logging
import re
import secrets
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

from tessera.renderer.core.carried import REQUEST, trace_headers
from tessera.renderer.settings import Settings

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{8,64}")
MADE = "tessera.request_id"


class Quiet(logging.Formatter):
    """A line for people."""

    def formatException(self, ei: Any) -> str:
        """Tell where an error was raised and what kind it is, from the outermost call to the innermost."""
        kind, _, tracing = ei
        places = traceback.extract_tb(tracing)
        return "\n".join(
            [*(f"  {place.filename}:{place.lineno} {place.name}" for place in places), f"  {kind.__name__}"]
        )


class Json(Quiet):
    """A JSON object: `at`, `level`, `message`, and where they are known `request_id`, `trace_id` and `error`."""

    def __init__(self, edge_secret: str | None) -> None:
        """Whoever sends the edge's secret names its requests by `X-Request-Id`; to others a name is given."""
        super().__init__()
        self._edge_secret = edge_secret.encode() if edge_secret is not None else None

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        told: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        scope = REQUEST.get(None)
        if scope is not None:
            told["request_id"] = self._request_id(scope)
            if trace := trace_headers().get("traceparent"):
                told["trace_id"] = trace.split("-")[1]
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told)

    def _request_id(self, scope: MutableMapping[str, Any]) -> str:
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        sent = headers.get(b"x-request-id", b"").decode("latin-1")
        secret = headers.get(b"x-tessera-edge-secret", b"")
        known = self._edge_secret is not None and secrets.compare_digest(secret, self._edge_secret)
        if known and REQUEST_ID.fullmatch(sent):
            return sent
        made: str = scope.setdefault(MADE, secrets.token_hex(8))
        return made


def set_up_logs(settings: Settings) -> None:
    """Write the log of this process to standard error, as the settings say."""
    edge_secret = settings.edge_secret.get_secret_value() if settings.edge_secret else None
    line: logging.Formatter = logging.Formatter("%(levelname)s %(message)s")
    if settings.telemetry.logs == "json":
        line = Json(edge_secret)
    elif settings.server.mode == "production":
        line = Quiet("%(levelname)s %(message)s")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(line)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
