"""A purge as one HTTP request, with typed errors."""

from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from tessera.adapters.client import retry_after_s
from tessera.renderer.core.errors import Unpurged

DEADLINE_S = 5.0


async def send(
    client: httpx.AsyncClient, method: str, url: str, headers: Mapping[str, str], body: object = None
) -> httpx.Response:
    """Send it and return the reply, whose status is a success. Raises `Unpurged`."""
    try:
        reply = await client.request(method, url, headers=dict(headers), json=body, timeout=DEADLINE_S)
    except httpx.TimeoutException as failure:
        raise Unpurged(f"no reply in {DEADLINE_S:g} s") from failure
    except httpx.HTTPError as failure:
        raise Unpurged(f"cannot be reached ({type(failure).__name__})") from failure
    if not reply.is_success:
        wait_s = retry_after_s(reply.headers.get("retry-after"), datetime.now(UTC))
        raise Unpurged(f"answered with status {reply.status_code}", wait_s)
    return reply
