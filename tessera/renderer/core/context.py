"""What a request says of itself, as the facts that rules may read: device, place, locale, consent, identity."""

from collections.abc import Mapping
from typing import NamedTuple, Self

from tessera.renderer.core.declared import Coerced, Declared
from tessera.renderer.core.device import Device
from tessera.renderer.core.request import NONE
from tessera.renderer.core.visitor import Visitor
from tessera.rules.facts import CONSENT, REFUSED, VISITOR_ID, Value

KNOWN = "visitor.known"

PLACE_HEADERS: Mapping[str, bytes] = {
    "country": b"x-geo-country",
    "region": b"x-geo-region",
    "city": b"x-geo-city",
    "timezone": b"x-geo-timezone",
}


class Context(NamedTuple):
    """One request, understood: who asks, in which locale, and all that it says as declared facts."""

    visitor: Visitor
    locale: str
    facts: Coerced

    @classmethod
    def of(
        cls, visitor: Visitor, device: Device, locale: str, declared: Declared, place: Mapping[str, str] = NONE
    ) -> Self:
        """Make declared facts of a request.

        ``place`` holds the trusted edge's words, by the last part of their facts' names.
        """
        return cls(visitor, locale, declared.request(request_facts(visitor, device, locale, place)))

    def refused(self) -> Self:
        """Return the same request as it is understood of a visitor who refuses personalization."""
        said: dict[str, Value] = {CONSENT: REFUSED, KNOWN: False}
        kept = {name: said.get(name, value) for name, value in self.facts.facts.items() if name != VISITOR_ID}
        visitor = Visitor(None, "denied", self.visitor.crawler)
        return self._replace(visitor=visitor, facts=Coerced(kept, self.facts.misfits))


def request_facts(
    visitor: Visitor, device: Device, locale: str, place: Mapping[str, str]
) -> Mapping[str, object | None]:
    """Return the facts with ``source: request``, None where the request does not tell."""
    return {
        VISITOR_ID: visitor.id,
        KNOWN: visitor.id is not None,
        "device.type": device.type,
        "device.os": device.os,
        "device.browser": device.browser,
        "geo.country": place.get("country"),
        "geo.region": place.get("region"),
        "geo.city": place.get("city"),
        "geo.timezone": place.get("timezone"),
        "locale": locale,
        CONSENT: visitor.consent,
    }


def place(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """Read where the edge says the visitor is. Only for a request that proved to come through the edge."""
    return {name: headers[header].decode("latin-1") for name, header in PLACE_HEADERS.items() if header in headers}
