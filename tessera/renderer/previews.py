"""Previews: a signed token lets whoever holds it see another version, an arm or a moment, in production.

What a preview shows is neither cached nor counted, and nobody without a token ever sees it. A token is
``base64url(JSON).signature`` as itsdangerous writes it (HMAC-SHA256), and says itself until when it is good.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Literal, NamedTuple

from itsdangerous import BadData, URLSafeSerializer

from tessera.renderer.core.request import cookies_in
from tessera.renderer.site import Site
from tessera.rules.values import parse_timestamp

NAME = "tessera_preview"
"""The query parameter, and the cookie, that carry a token."""

_NAME = NAME.encode()

Refusal = Literal["expired", "invalid", "gone"]


class Preview(NamedTuple):
    """What a token grants.

    ``version`` is a release's name or the beginning of one, ``arm`` an experiment's, ``experiment.arm``, ``at`` a
    moment; None is what is live, decided, and now. With ``explain``, the holder may ask why.
    """

    version: str | None = None
    arm: str | None = None
    at: datetime | None = None
    explain: bool = False


class Previews:
    """Signs and reads tokens, and holds the versions that they ask for."""

    def __init__(self, secret: str, find: Callable[[str], Site | None]) -> None:
        """``find`` loads a version, None where there is none; it is called in a thread, once a version."""
        self._signer = URLSafeSerializer(secret, salt="tessera.preview", signer_kwargs={"digest_method": sha256})
        self._find = find
        self._found: dict[str, Site] = {}

    def sign(self, preview: Preview, until: datetime) -> str:
        """Return a token that is good until a moment."""
        said = preview._replace(at=None)._asdict() | {"at": preview.at.isoformat() if preview.at else None}
        return str(self._signer.dumps({**said, "until": until.timestamp()}))

    def read(self, token: str, now: datetime) -> Preview | Refusal:
        """Return what a token grants, or why it grants nothing."""
        try:
            said = self._signer.loads(token)
            until, at = said.pop("until"), said.pop("at")
            preview = Preview(at=parse_timestamp(at) if at else None, **said)
        except (BadData, KeyError, TypeError, ValueError, AttributeError):
            return "invalid"
        return preview if now.timestamp() < until else "expired"

    async def site(self, version: str) -> Site | None:
        """Return a version of the site, loaded on the side; None where it is gone."""
        if version not in self._found:
            found = await asyncio.to_thread(self._find, version)
            if found is None:
                return None
            self._found = {**dict(list(self._found.items())[-3:]), version: found}  # four at most
        return self._found[version]


def carries_token(query: bytes, headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether a request may carry a token: cheap, as every request is asked."""
    return _NAME in query or _NAME in headers.get(b"cookie", b"")


def token_in(query: Mapping[str, str], cookie: bytes | None) -> str | None:
    """Return the token that a request carries, None where it carries none."""
    return query.get(NAME) or cookies_in(cookie).get(NAME)
