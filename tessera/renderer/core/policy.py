"""What a page may run and style itself by: the words of its Content-Security-Policy, as its templates' texts have them.

Source: W3C, "Content Security Policy Level 3". Words are taken from what authors wrote, never from what is rendered: a
script that slips in by way of data has no hash here.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from tessera.renderer.core.assets import Asset

MAX_WORDS = 48
"""Beyond it the header is larger than proxies' buffers have room for: 48 hashes take 2.6 kB."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Sources of scripts and of style sheets beside the site's own: hashes and origins.

    ``unknown`` names what no list of sources can allow, such as a script with values in it: file and what it is.
    """

    scripts: frozenset[str] = frozenset()
    styles: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()

    def words(self) -> str | None:
        """Return the directives, None where they cannot be told or are too many.

        `style` attributes are let be: hashes of them are not to be had everywhere, and they run nothing.
        """
        if self.unknown or len(self.scripts) + len(self.styles) > MAX_WORDS:
            return None
        scripts = " ".join(("'self'", *sorted(self.scripts)))
        styles = ["'self'", *sorted(self.styles)]
        origins = " ".join(word for word in styles if not word.startswith("'sha256-"))
        return (
            f"script-src {scripts}; style-src {origins} 'unsafe-inline'; style-src-elem {' '.join(styles)}; "
            "object-src 'none'; base-uri 'self'"
        )


def hash_of(text: str) -> str:
    """Return the word that allows an inline script or style sheet (section 2.3.1, "hash-source")."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def policy_of_assets(assets: Iterable[Asset]) -> Policy:
    """Return what allows assets, of which those of other origins alone need to be named."""
    foreign = [each for each in assets if each.origin is not None]
    return Policy(
        frozenset(each.origin for each in foreign if each.origin and each.kind in ("script", "module")),
        frozenset(each.origin for each in foreign if each.origin and each.kind == "style"),
    )


def all_of(policies: Iterable[Policy]) -> Policy:
    """Return what allows everything that any of them does."""
    found = list(policies)
    return Policy(
        frozenset().union(*(each.scripts for each in found)),
        frozenset().union(*(each.styles for each in found)),
        tuple(dict.fromkeys(reason for each in found for reason in each.unknown)),
    )
