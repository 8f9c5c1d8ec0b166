"""Which of the site's locales a request is answered in."""

from collections.abc import Sequence

from babel import negotiate_locale

MAX_RANGES = 20


def accepted(header: str) -> list[str]:
    """Return the language ranges of an Accept-Language header, best first (RFC 9110, section 12.5.4).

    Ranges refused with a weight of 0, and those that cannot be read, are left out.
    """
    weighed: list[tuple[float, str]] = []
    for member in header.split(",", MAX_RANGES)[:MAX_RANGES]:
        name, _, weight = member.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if name.strip() and 0 < quality <= 1:
            weighed.append((quality, name.strip()))
    return [name for _, name in sorted(weighed, key=lambda pair: -pair[0])]


def negotiate(chosen: Sequence[str | None], header: str, available: Sequence[str]) -> str:
    """Return the best of the available locales, the first of which is the default.

    ``chosen`` (from the path, then the cookie) outranks the header; a choice that the site does not speak is no choice.
    """
    for choice in chosen:
        if choice is not None and choice in available:
            return choice
    found: str | None = negotiate_locale(accepted(header), available, sep="-")
    return found or available[0]
