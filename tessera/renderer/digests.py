"""The context handshake: a short digest of what a slot shows, by which an edge keeps answers apart.

A digest is of the outcome, so of what was decided and the inputs of its template, and not of the facts behind it: a
thousand cart values that lead to one banner make one digest. Nobody can make one without the secret.
"""

import hmac
import logging
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import lru_cache

from tessera.renderer.core.inputs import canonical
from tessera.renderer.core.labels import visitor_tag
from tessera.renderer.core.tags import Tag
from tessera.renderer.plans import SlotPlan

DIGEST_BYTES = 15
REMEMBERED = 8192
WINDOW_S = 60
"""Seconds over which the digests of a slot are counted, where it has a budget."""

log = logging.getLogger("tessera")


class Digests:
    """Makes digests with one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self.of: Callable[[str, str, str, bytes | None], str] = lru_cache(REMEMBERED)(self._of)
        """The digest of a site's version, page, slot and fragment key; the key is None where nothing is shown."""

    def _of(self, version: str, page: str, slot: str, key: bytes | None) -> str:
        mac = hmac.digest(self._secret, canonical((version, page, slot, key)), "sha256")
        return "d" + urlsafe_b64encode(mac[:DIGEST_BYTES]).decode()  # a token of RFC 9651 begins with a letter

    def visitor(self, visitor_id: str) -> Tag:
        """Return the tag of a visitor that an edge may see."""
        return visitor_tag(visitor_id, self._secret.decode())

    def holds(self, carried: str, version: str, page: str, slot: str, key: bytes | None) -> bool:
        """Tell whether the digest that a request carries is that of the answer it gets."""
        return hmac.compare_digest(carried.encode("latin-1", "replace"), self.of(version, page, slot, key).encode())


class Budgets:
    """Holds slots to the number of different answers that they promise: one that breaks it is nobody's to share."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, str], tuple[float, set[str]]] = {}

    def allow(self, version: str, plan: SlotPlan, digest: str, now_s: float) -> bool:
        """Tell whether this digest is among as many as the slot's budget allows within a minute; report once if not."""
        if plan.budget is None:
            return True
        place = (version, plan.page, plan.name)
        began_s, seen = self._seen.get(place, (now_s, set()))
        if now_s - began_s >= WINDOW_S:
            began_s, seen = now_s, set()
        self._seen[place] = began_s, seen
        if len(seen) <= plan.budget:
            seen.add(digest)
            if len(seen) > plan.budget:
                log.warning("%s/%s: more than %d different answers; it is shared by nobody", *place[1:], plan.budget)
        return len(seen) <= plan.budget
