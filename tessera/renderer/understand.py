"""From the bytes of a request to what the pipeline is asked: who, where, on what device, in which locale."""

from collections.abc import Mapping
from functools import lru_cache

from itsdangerous import BadData, URLSafeSerializer

from tessera.renderer.core.context import Context, place
from tessera.renderer.core.declared import Coerced, Declared
from tessera.renderer.core.device import Device, Devices, hints
from tessera.renderer.core.locale import negotiate
from tessera.renderer.core.request import NONE, Request
from tessera.renderer.core.visitor import Identity
from tessera.renderer.personas import Persona
from tessera.renderer.settings import Settings

PERSONA_COOKIE = "tessera_persona"
CART_HEADER = b"x-tessera-cart"
REMEMBERED = 4096


class Understanding:
    """Reads requests by the settings' words. What few headers tell, device and locale, is remembered by them."""

    def __init__(self, settings: Settings, identity: Identity, personas: Mapping[str, Persona]) -> None:
        self._identity = identity
        self._personas = personas
        self._locales = settings.site.locales
        self._locale_cookie = settings.visitors.locale_cookie
        self._devices = Devices()
        self._told = lru_cache(REMEMBERED)(self._tell)
        self._carts = cart_signer(settings.cart_secret.get_secret_value()) if settings.cart_secret else None

    def context(self, request: Request) -> Context:
        """Understand a request. A crawler is known for one, and nothing else about it counts."""
        headers, cookies, _, path_locale = request
        persona = self._personas.get(cookies.get(PERSONA_COOKIE, "")) if self._personas else None
        chosen = persona.locale if persona else cookies.get(self._locale_cookie)
        device, locale = self._told(hints(headers), path_locale, chosen, headers.get(b"accept-language"))
        if persona:
            device = persona.recognised()
        from_edge = self._identity.from_edge(request)
        visitor = self._identity.visitor(request, crawler=device.crawler, from_edge=from_edge)
        if device.crawler:
            return Context(request, visitor, Device(crawler=True), locale)
        where = persona.place() if persona else place(headers) if from_edge else NONE
        return Context(request, visitor, device, locale, where)

    def _tell(
        self,
        hinted: tuple[bytes | None, ...],
        path_locale: str | None,
        chosen_locale: str | None,
        accept_language: bytes | None,
    ) -> tuple[Device, str]:
        accepted = accept_language.decode("latin-1") if accept_language else None
        return self._devices.recognise(hinted), negotiate((path_locale, chosen_locale), accepted, self._locales)

    def cart(self, request: Request, declared: Declared) -> Coerced | None:
        """Return the cart that the shop signed into the request, if it did so with the right secret."""
        signed = request.headers.get(CART_HEADER)
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
