"""A purge as one HTTP request, with typed errors."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import aiohttp

from tessera.adapters.client import MAX_REPLY_BYTES, Client, encoded, retry_after_s
from tessera.adapters.inflating import Spoilt, TooMuch, inflated
from tessera.renderer.core.errors import Unpurged

DEADLINE_S = 5.0
JSON = {"content-type": "application/json"}


async def send(client: Client, method: str, url: str, headers: Mapping[str, str], body: object = None) -> bytes:
    """Send it and return the body of the reply, whose status is a success. Raises `Unpurged`."""
    sent = (headers, None) if body is None else ({**JSON, **headers}, encoded(body))
    try:
        async with asyncio.timeout(DEADLINE_S), client.request(method, url, headers=sent[0], body=sent[1]) as reply:
            if not 200 <= reply.status < 300:
                wait_s = retry_after_s(reply.headers.get("retry-after"), datetime.now(UTC))
                raise Unpurged(f"answered with status {reply.status}", wait_s)
            return b"".join([part async for part in inflated(reply, MAX_REPLY_BYTES)])
    except TimeoutError as failure:
        raise Unpurged(f"no reply in {DEADLINE_S:g} s") from failure
    except aiohttp.ClientError as failure:
        raise Unpurged(f"cannot be reached ({type(failure).__name__})") from failure
    except (Spoilt, TooMuch) as failure:
        raise Unpurged("the reply cannot be read") from failure
