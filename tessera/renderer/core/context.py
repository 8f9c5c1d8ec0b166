"""What a request says of itself, as the facts that rules may read: device, place, locale, consent, identity."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tessera.renderer.core.device import Device
from tessera.renderer.core.request import NONE, Request
from tessera.renderer.core.visitor import Visitor


class Context(NamedTuple):
    """One request, understood. ``place`` holds the trusted edge's words, by the last part of their facts' names."""

    request: Request
    visitor: Visitor
    device: Device
    locale: str
    place: Mapping[str, str] = NONE


PLACE_HEADERS: Mapping[str, bytes] = {
    "country": b"x-geo-country",
    "region": b"x-geo-region",
    "city": b"x-geo-city",
    "timezone": b"x-geo-timezone",
}

REQUEST_FACTS: Mapping[str, Callable[[Context], object | None]] = {
    "visitor.id": lambda context: context.visitor.id,
    "visitor.known": lambda context: context.visitor.id is not None,
    "device.type": lambda context: context.device.type,
    "device.os": lambda context: context.device.os,
    "device.browser": lambda context: context.device.browser,
    "geo.country": lambda context: context.place.get("country"),
    "geo.region": lambda context: context.place.get("region"),
    "geo.city": lambda context: context.place.get("city"),
    "geo.timezone": lambda context: context.place.get("timezone"),
    "locale": lambda context: context.locale,
    "consent.personalization": lambda context: context.visitor.consent,
}
"""The facts with ``source: request``: what each is read from. A crawler is told the defaults, whatever it says."""


def place(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """Read where the edge says the visitor is. Only for a request that proved to come through the edge."""
    return {name: headers[header].decode("latin-1") for name, header in PLACE_HEADERS.items() if header in headers}
