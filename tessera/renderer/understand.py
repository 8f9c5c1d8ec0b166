"""From the bytes of a request to what the pipeline is asked: who, where, on what device, in which locale."""

from collections.abc import Mapping
from functools import lru_cache

from itsdangerous import BadData, URLSafeSerializer

from tessera.renderer.core.context import Context, place
from tessera.renderer.core.declared import Coerced, Declared
from tessera.renderer.core.device import Device, Devices, hints
from tessera.renderer.core.locale import negotiate
from tessera.renderer.core.request import Request
from tessera.renderer.core.visitor import Identity
from tessera.renderer.personas import Persona
from tessera.renderer.settings import Settings

PERSONA_COOKIE = "tessera_persona"
CART_HEADER = b"x-tessera-cart"
REMEMBERED = 4096


class Understanding:
    """Reads requests by the settings' words. Devices and locales, which few headers tell, are remembered."""

    def __init__(self, settings: Settings, identity: Identity, personas: Mapping[str, Persona]) -> None:
        self._identity = identity
        self._personas = personas
        self._locale_cookie = settings.visitors.locale_cookie
        self._recognise = lru_cache(REMEMBERED)(Devices().recognise)
        locales = settings.site.locales
        self._negotiate = lru_cache(REMEMBERED)(lambda path, cookie, header: negotiate((path, cookie), header, locales))
        secret = settings.cart_secret
        self._carts = cart_signer(secret.get_secret_value()) if secret else None

    def context(self, request: Request) -> Context:
        """Understand a request. A crawler is known for one, and nothing else about it counts."""
        persona = self._persona(request)
        device = persona.recognised() if persona else self._recognise(hints(request.headers))
        from_edge = self._identity.from_edge(request)
        visitor = self._identity.visitor(request, crawler=device.crawler, from_edge=from_edge)
        chosen = persona.locale if persona else request.cookies.get(self._locale_cookie)
        locale = self._negotiate(request.path_locale, chosen, request.header(b"accept-language"))
        if device.crawler:
            return Context(request, visitor, Device(crawler=True), locale)
        where = persona.place() if persona else place(request.headers) if from_edge else {}
        return Context(request, visitor, device, locale, where)

    def cart(self, request: Request, declared: Declared) -> Coerced | None:
        """Return the cart that the shop signed into the request, if it did so with the right secret."""
        signed = request.header(CART_HEADER)
        if signed is None or self._carts is None:
            return None
        try:
            told = self._carts.loads(signed)
        except BadData:
            return None
        return declared.signed_cart(told) if isinstance(told, dict) else None

    def _persona(self, request: Request) -> Persona | None:
        if not self._personas:
            return None
        return self._personas.get(request.cookies.get(PERSONA_COOKIE, ""))


def cart_signer(secret: str) -> URLSafeSerializer:
    """Return what signs and reads carts.

    A signed cart is ``base64url(JSON) + "." + base64url(HMAC-SHA256(secret, base64url(JSON)))`` without padding, so
    that a shop in any language can make one.
    """
    return URLSafeSerializer(secret, signer_kwargs={"key_derivation": "none", "digest_method": "sha256"})
