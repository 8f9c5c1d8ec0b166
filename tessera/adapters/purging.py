"""A purge as one HTTP request, with typed errors."""

from collections.abc import Mapping

import httpx

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
        raise Unpurged(f"answered with status {reply.status_code}", retry_after_s(reply))
    return reply


def retry_after_s(reply: httpx.Response) -> float | None:
    """Read `Retry-After` where it is a number of seconds (RFC 9110, section 10.2.3); a date counts as not said."""
    said = reply.headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() else None
