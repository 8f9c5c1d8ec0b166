"""From the bytes of a request to what the pipeline is asked: who, where, on what device, in which locale."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from itsdangerous import BadData, URLSafeSerializer

from tessera.renderer.core.context import PLACE_HEADERS, Context, place
from tessera.renderer.core.declared import Coerced, Declared
from tessera.renderer.core.device import HINTS, Device, Devices
from tessera.renderer.core.locale import negotiate
from tessera.renderer.core.request import NONE, Request
from tessera.renderer.core.visitor import Identity, Visitor
from tessera.renderer.edge import DIGEST_HEADER
from tessera.renderer.personas import Persona
from tessera.renderer.previews import carries_token
from tessera.renderer.settings import Settings
from tessera.renderer.suppressed import Suppressed

PERSONA_COOKIE = "tessera_persona"
CART_HEADER = b"x-tessera-cart"
TOLD_BY = (*HINTS, b"accept-language")
"""The headers that tell the device and the languages."""

READ = (
    *TOLD_BY,
    b"cookie",
    b"sec-gpc",
    b"x-tessera-edge-secret",
    b"x-tessera-visitor",
    *PLACE_HEADERS.values(),
)
"""The headers that tell who asks, where, and on what. No other has a part in it."""

UNUSUAL = frozenset((b"if-none-match", CART_HEADER, DIGEST_HEADER, b"content-length", b"transfer-encoding", b"expect"))
"""Headers that have a part in an answer beside those, or tell that a body follows."""

HEARD = UNUSUAL.union(READ)
"""All that have a part in an answer. A request's others are not even looked at."""

REMEMBERED = 4096
"""Requests, and devices with their languages, that need not be understood anew."""

MAX_REMEMBERED_BYTES = 4096
"""Longer headers than these, taken together, are understood and not remembered."""

MAX_TOLD_BYTES = 512
"""How much is read of a header that tells the device or the languages."""


class _TooLong(Exception):
    """Headers longer than is worth remembering: an exception, since whatever is returned is remembered."""

    def __init__(self, read: Sequence[bytes | None]) -> None:
        self.read = read


class Unusual(Exception):
    """A request that carries more than what tells who asks, where, and on what."""


class Understanding:
    """Reads requests by the settings' words. A page's fragments are asked for with the same headers."""

    def __init__(
        self, settings: Settings, identity: Identity, personas: Mapping[str, Persona], suppressed: Suppressed
    ) -> None:
        self._identity = identity
        self._suppressed = suppressed
        self._personas = personas
        self._locales = settings.site.locales
        self._locale_cookie = settings.visitors.locale_cookie
        self._devices = Devices()
        self._told = lru_cache(REMEMBERED)(self._tell)
        self._understood = lru_cache(REMEMBERED)(self._remember)
        self.usual = lru_cache(REMEMBERED)(self._usual)
        """Understand a request that says no more than who asks, where, and on what, by its headers that are `HEARD`:
        lines of ``name:value``, in one piece, as what is found anew for each visitor is best found in few places of the
        memory. Raises `Unusual` where there is more to it. Costs a look-up where they were heard before."""
        suppressed.when_changed(self._understood.cache_clear)
        suppressed.when_changed(self.usual.cache_clear)
        self._carts = cart_signer(settings.cart_secret.get_secret_value()) if settings.cart_secret else None

    def context(self, headers: Mapping[bytes, bytes], declared: Declared, path_locale: str | None = None) -> Context:
        """Understand a request. A crawler is known for one, and nothing else about it counts."""
        try:
            return self._understood(tuple(map(headers.get, READ)), declared, path_locale)
        except _TooLong as unusual:
            return self._understand(unusual.read, declared, path_locale)

    def _usual(self, heard: bytes, declared: Declared, path_locale: str | None) -> Context:
        if len(heard) > MAX_REMEMBERED_BYTES:
            raise Unusual
        pairs = [line.partition(b":") for line in heard.split(b"\n")]
        headers = {name: value for name, _, value in pairs if name}
        if not UNUSUAL.isdisjoint(headers) or carries_token(b"", headers):
            raise Unusual
        return self.context(headers, declared, path_locale)

    def _remember(self, read: Sequence[bytes | None], declared: Declared, path_locale: str | None) -> Context:
        if sum(map(len, filter(None, read))) > MAX_REMEMBERED_BYTES:
            raise _TooLong(read)
        return self._understand(read, declared, path_locale)

    def _understand(self, read: Sequence[bytes | None], declared: Declared, path_locale: str | None) -> Context:
        request = Request.of({name: value for name, value in zip(READ, read, strict=True) if value is not None})
        headers, cookies = request
        persona = self._personas.get(cookies.get(PERSONA_COOKIE, "")) if self._personas else None
        chosen = persona.locale if persona else cookies.get(self._locale_cookie)
        device, locale = self._told(
            tuple((headers.get(name) or b"")[:MAX_TOLD_BYTES] for name in TOLD_BY),
            path_locale,
            chosen if chosen in self._locales else None,
        )
        if persona:
            device = persona.recognised()
        from_edge = self._identity.from_edge(request)
        visitor = self._identity.visitor(request, crawler=device.crawler, from_edge=from_edge)
        if device.crawler:
            return Context.of(visitor, Device(crawler=True), locale, declared)
        if visitor.id is not None and self._suppressed.holds(visitor.id):
            visitor = Visitor(None, "denied")
        where = persona.place() if persona else place(headers) if from_edge else NONE
        return Context.of(visitor, device, locale, declared, where)

    def _tell(self, said: tuple[bytes, ...], path_locale: str | None, chosen_locale: str | None) -> tuple[Device, str]:
        *hinted, languages = (value.decode("latin-1") for value in said)
        return self._devices.recognise(*hinted), negotiate((path_locale, chosen_locale), languages, self._locales)

    def cart(self, headers: Mapping[bytes, bytes], declared: Declared) -> Coerced | None:
        """Return the cart that the shop signed into the request, if it did so with the right secret."""
        signed = headers.get(CART_HEADER)
        if signed is None or self._carts is None:
            return None
        try:
            told = self._carts.loads(signed)
        except BadData:
            return None
        return declared.signed_cart(told) if isinstance(told, dict) else None


def cart_signer(secret: str) -> URLSafeSerializer:
    """Return what signs and reads carts.

    A signed cart is ``base64url(JSON) + "." + base64url(HMAC-SHA256(secret, base64url(JSON)))`` without padding, so
    that a shop in any language can make one.
    """
    return URLSafeSerializer(secret, signer_kwargs={"key_derivation": "none", "digest_method": "sha256"})
