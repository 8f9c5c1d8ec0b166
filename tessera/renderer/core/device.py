"""What a request's User-Agent and client hints say of the device, and whether a known crawler sent it.

User agents are recognised by uap-core's patterns through ua-parser, on RE2, which takes linear time whatever is sent.
Client hints (wicg.github.io/ua-client-hints) are said by the browser itself and outrank the User-Agent.
"""

from dataclasses import dataclass
from typing import Literal

from ua_parser import Parser
from ua_parser.loaders import load_lazy_builtins
from ua_parser.re2 import Resolver

HINTS = (b"user-agent", b"sec-ch-ua-mobile", b"sec-ch-ua-platform")
"""The headers that tell the device."""

DeviceType = Literal["mobile", "tablet", "desktop"]


@dataclass(frozen=True, slots=True)
class Device:
    """A device as far as it is known. Names are lower-case: ``ios``, ``mac os x``, ``mobile safari``."""

    type: DeviceType | None = None
    os: str | None = None
    browser: str | None = None
    crawler: bool = False


class Devices:
    """Recognises devices. Making one takes a tenth of a second: its patterns are compiled."""

    def __init__(self) -> None:
        self._parser = Parser(Resolver(load_lazy_builtins()))

    def recognise(self, agent: str, mobile: str = "", platform: str = "") -> Device:
        """Tell the device from the values of `HINTS`, whatever they hold."""
        parsed = self._parser.parse(agent)
        return Device(
            type=_type(agent, mobile),
            os=platform.strip('"').lower() or (parsed.os.family.lower() if parsed.os else None),
            browser=parsed.user_agent.family.lower() if parsed.user_agent else None,
            crawler=parsed.device is not None and parsed.device.family == "Spider",
        )


def _type(agent: str, mobile: str) -> DeviceType | None:
    """Tell the form factor.

    "Mobi" marks phones in every browser, and Android without it is a tablet
    (developer.mozilla.org, "Browser detection using the user agent").
    """
    if mobile == "?1":
        return "mobile"
    if "iPad" in agent or "Tablet" in agent or ("Android" in agent and "Mobi" not in agent):
        return "tablet"
    if "Mobi" in agent:
        return "mobile"
    return "desktop" if agent else None
