"""What is told to whoever might store an answer: browsers, and the proxy or CDN in front, in the words that each obeys.

Sources: RFC 9111 (caching), RFC 9213 (`CDN-Cache-Control`), RFC 5861 (`stale-while-revalidate`, `stale-if-error`),
RFC 9875 (`Cache-Groups`), the vendors on `Surrogate-Key` (Fastly), `Cache-Tag` (Cloudflare) and `xkey` (Varnish), and
what was measured of each server; docs/http.md says who obeys which.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Literal

from tessera.renderer.core.labels import Room, labels
from tessera.renderer.core.tags import Tag
from tessera.renderer.respond import Headers

Kind = Literal["generic", "nginx", "varnish", "fastly", "cloudflare"]

DIGEST_HEADER = b"x-tessera-digest"
DIGEST_PARAMETER = "tessera_digest"

VARY_ON_DIGEST = (b"vary", b"X-Tessera-Digest")
NO_STORE: Headers = [(b"cache-control", b"no-store")]
PRIVATE: Headers = [
    (b"x-accel-expires", b"0"),
    (b"cache-control", b"private, no-store"),
    (b"cdn-cache-control", b"no-store"),
    (b"surrogate-control", b"no-store"),
]
"""For one visitor alone, in every dialect: no server stores it in its default settings."""
CACHING = frozenset(name for name, _ in PRIVATE)
"""Every header that tells whether an answer may be stored."""

LABELS: dict[Kind, tuple[bytes, bytes]] = {
    "generic": (b"surrogate-key", b" "),
    "nginx": (b"surrogate-key", b" "),
    "varnish": (b"xkey", b" "),
    "fastly": (b"surrogate-key", b" "),
    "cloudflare": (b"cache-tag", b","),
}
"""The header that each kind of edge reads labels from, and what stands between two of them."""

GROUPS = Room(total_bytes=3_900, labels=32, label_bytes=32)
"""What every cache that knows groups has to keep of them (RFC 9875, section 2)."""

REMEMBERED = 4096


class Edge:
    """The words for one kind of edge.

    ``stale_s`` and ``grace_s`` are how long what was stored may be used past its lifetime, while it is fetched anew,
    and while that fails; never past the moment at which time alone changes the answer.
    """

    def __init__(self, kind: Kind, stale_s: float, grace_s: float) -> None:
        self._kind = kind
        self._stale_s = stale_s
        self._grace_s = grace_s
        self._public = lru_cache(REMEMBERED)(self._told_to_all)
        self._context = lru_cache(REMEMBERED)(self._told_to_edges)
        self.labels: Callable[[tuple[Tag, ...]], Headers] = lru_cache(REMEMBERED)(self._labels)
        """The headers that tell an edge by which tags to purge an answer; the most telling tags come first."""

    @property
    def obeys_vary(self) -> bool:
        """Tell whether it keeps answers apart by a header; otherwise the digest has to stand in the URL."""
        return self._kind != "cloudflare"

    def public(self, max_age_s: float, horizon_s: float) -> Headers:
        """Let anybody store an answer for some seconds, rounded down, all of them before the horizon."""
        return self._public(int(max_age_s), *self._beyond(max_age_s, horizon_s))

    def context(self, max_age_s: float, horizon_s: float) -> Headers:
        """Let the edge store an answer for all who share its digest, and browsers only if they ask each time."""
        return self._context(int(max_age_s), *self._beyond(max_age_s, horizon_s))

    def _beyond(self, max_age_s: float, horizon_s: float) -> tuple[int, int]:
        room_s = max(0.0, horizon_s - max_age_s)
        return int(min(self._stale_s, room_s)), int(min(self._grace_s, room_s))

    def _labels(self, tags: tuple[Tag, ...]) -> Headers:
        name, between = LABELS[self._kind]
        told = [(name, between.join(each.encode() for each in labels(tags, Room())))]
        if self._kind == "generic":
            told.append((b"cache-groups", groups(labels(tags, GROUPS))))
        return told

    def _told_to_all(self, max_age_s: int, stale_s: int, grace_s: int) -> Headers:
        return [(b"cache-control", b"public, " + _lifetime(max_age_s, stale_s, grace_s))]

    def _told_to_edges(self, max_age_s: int, stale_s: int, grace_s: int) -> Headers:
        lifetime = _lifetime(max_age_s, stale_s, grace_s)
        headers: Headers = [(b"cache-control", b"private, no-cache"), (b"cdn-cache-control", lifetime)]
        if self._kind == "nginx":  # obeys neither, and of its own header only one that comes before cache-control
            headers.insert(0, (b"x-accel-expires", b"%d" % max_age_s))
        elif self._kind == "fastly":
            headers.append((b"surrogate-control", lifetime))
        return headers


def groups(named: Iterable[str]) -> bytes:
    """Write labels as RFC 9875 has groups: a list of strings (RFC 9651)."""
    return ", ".join(f'"{each}"' for each in named).encode()


def _lifetime(max_age_s: int, stale_s: int, grace_s: int) -> bytes:
    told = [b"max-age=%d" % max_age_s]
    if stale_s:
        told.append(b"stale-while-revalidate=%d" % stale_s)
    if grace_s:
        told.append(b"stale-if-error=%d" % grace_s)
    return b", ".join(told)
