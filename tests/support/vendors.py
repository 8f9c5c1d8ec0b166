"""What tests of vendors' adapters send, and read of what was sent."""

import json
from typing import Any

import respx

WITHIN = "visitor-17"


def body_of(route: respx.Route, call: int = -1) -> Any:
    """Return the JSON that was sent."""
    return json.loads(route.calls[call].request.content)
