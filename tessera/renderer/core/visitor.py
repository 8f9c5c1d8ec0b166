"""Who is asking: identity and consent, from what the request carries and what may be believed of it."""

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import NamedTuple

from itsdangerous import BadSignature, Signer

from tessera.renderer.core.ports import Consent
from tessera.renderer.core.request import Request


class Visitor(NamedTuple):
    """Whoever is behind a request. ``id`` is None for everybody who may not or cannot be recognised."""

    id: str | None = None
    consent: Consent = "unknown"
    crawler: bool = False


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed, and under which names it arrives; see the settings of the same names."""

    secret: str
    edge_secret: str | None
    cookie: str
    plain_cookie: str | None
    consent_cookie: str
    consent_granted: str


class Identity:
    """Signs visitor ids, and tells from a request who is asking."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._signer = Signer(trust.secret, salt="tessera.visitor", digest_method=sha256)

    def sign(self, visitor_id: str) -> str:
        """Return the cookie value that carries this id."""
        return self._signer.sign(visitor_id).decode()

    def from_edge(self, request: Request) -> bool:
        """Tell whether the request carries the edge's shared secret, so that its headers may be believed."""
        claimed, expected = request.headers.get(b"x-tessera-edge-secret"), self._trust.edge_secret
        return bool(claimed and expected) and compare_digest(claimed or b"", (expected or "").encode())

    def consent(self, request: Request) -> Consent:
        """Judge consent: Global Privacy Control outranks the cookie; no word is not a yes."""
        if request.headers.get(b"sec-gpc") == b"1":
            return "denied"
        said = request.cookies.get(self._trust.consent_cookie)
        if said is None:
            return "unknown"
        return "granted" if said == self._trust.consent_granted else "denied"

    def visitor(self, request: Request, *, crawler: bool, from_edge: bool) -> Visitor:
        """Tell who is asking. Anyone without consent, without a believable id, or crawling has no id."""
        consent = self.consent(request)
        if crawler or consent != "granted":
            return Visitor(None, consent, crawler)
        return Visitor(self._believed_id(request, from_edge), consent, crawler)

    def _believed_id(self, request: Request, from_edge: bool) -> str | None:
        if from_edge and (named := request.header(b"x-tessera-visitor")):
            return named
        signed = request.cookies.get(self._trust.cookie)
        if signed is not None and (known := self._verify(signed)):
            return known
        return request.cookies.get(self._trust.plain_cookie) or None if self._trust.plain_cookie else None

    def _verify(self, signed: str) -> str | None:
        try:
            return self._signer.unsign(signed).decode()
        except (BadSignature, UnicodeError):
            return None
