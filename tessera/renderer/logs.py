"""Log lines: for people, or as JSON objects that say which request they belong to.

No line holds anything that a visitor sent or is: of an error that nobody expected the type and the places are told,
not its message, which could quote a value. Only the code and its author's files can say what a line says.
"""

import json
import logging
import re
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

from cachetools import LRUCache

from tessera.renderer.core.carried import REQUEST, trace_headers
from tessera.renderer.settings import Settings

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{8,64}")
MADE = "tessera.request_id"
QUIET_S = 10.0
"""Seconds for which the same is not said again."""
REMEMBERED = 1_000


class Repeated(logging.Filter):
    """Holds back what was said a moment ago; when it is said again, so is how often it was held back.

    An upstream that is down would else be told of by each request that misses it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: LRUCache[tuple[int, str], tuple[float, int]] = LRUCache(REMEMBERED)

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a line through, or hold it back. Its first line is what it is known by."""
        now_s, said = self._clock(), record.getMessage()
        known = record.levelno, said.partition("\n")[0]
        last_s, held_back = self._said.get(known, (-QUIET_S, 0))
        if now_s - last_s < QUIET_S:
            self._said[known] = last_s, held_back + 1
            return False
        self._said[known] = now_s, 0
        if held_back:
            record.msg, record.args = f"{said} (and {held_back:,} times more since it was last said)", ()
        return True


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
    handler.addFilter(Repeated())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
