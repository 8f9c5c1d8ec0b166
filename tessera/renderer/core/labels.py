"""Labels: tags as caches downstream are told them, in the header of an answer and in a purge.

Bounded, because servers refuse or cut long headers. What has no room is folded into the coarser label of its kind,
``item:*``, which stands for some items that are not named; whoever purges an item purges that, too, so that it reaches
every answer that shows it. Characters that some header could not carry are percent-encoded (RFC 3986, section 2.1).
"""

import hmac
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote

from tessera.renderer.core.tags import EVERYTHING, Tag

ANY = "*"
VISITOR = "visitor:"
DIGEST_CHARACTERS = 24


class Room(NamedTuple):
    """How much a header holds: bytes in all, with one between two labels, how many labels, and bytes of each."""

    total_bytes: int = 3_900
    labels: int = 1_000
    label_bytes: int = 256


def coarse(tag: Tag) -> str:
    """Return the label that stands for whatever of a tag's kind is not named."""
    return f"{tag.partition(':')[0]}:{ANY}"


def label(tag: Tag) -> str:
    """Return the label of a tag: visible ASCII without blank, comma, quote, or the asterisk of `coarse`."""
    return quote(tag, safe=":/")


def labels(tags: Iterable[Tag], room: Room) -> tuple[str, ...]:
    """Return the labels of an answer, as many as there is room for; those of tags that come first are kept first.

    There has to be room for one label of each kind.
    """
    named = {each: coarse(each) for each in tags}
    folded = dict.fromkeys(named.values())
    free_bytes = room.total_bytes - sum(len(each) + 1 for each in folded)
    free_labels = room.labels - len(folded)
    kept: dict[str, None] = {}
    needed: dict[str, None] = {}
    for tag, stand_in in named.items():
        written = label(tag)
        if len(written) > room.label_bytes or len(written) + 1 > free_bytes or free_labels < 1:
            needed[stand_in] = None
        else:
            kept[written] = None
            free_bytes -= len(written) + 1
            free_labels -= 1
    return (*kept, *needed)


def purged(tags: Iterable[Tag], secret: str) -> tuple[str, ...]:
    """Return what to purge downstream so that whatever carries one of the tags goes. No visitor's id is in it."""
    told = dict.fromkeys(tags)
    if EVERYTHING in told:
        return (EVERYTHING,)
    known = {visitor_tag(each.removeprefix(VISITOR), secret) if each.startswith(VISITOR) else each for each in told}
    return tuple(sorted({label(each) for each in known} | {coarse(each) for each in known}))


def visitor_tag(visitor_id: str, secret: str) -> Tag:
    """Return the tag of a visitor that others may see: a digest of the id, which cannot be told from it."""
    return VISITOR + hmac.digest(secret.encode(), b"purge " + visitor_id.encode(), "sha256").hex()[:DIGEST_CHARACTERS]
