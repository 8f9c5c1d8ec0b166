"""What adapters of recommenders have in common: members of a reply made into items, and what needs no vendor."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated
from urllib.parse import quote

from pydantic import StringConstraints

from tessera.renderer.core.blend import blended
from tessera.renderer.core.errors import SourceGarbled
from tessera.renderer.core.ports import ListQuery, Recommendations, Recommended

PORT = "items"
NOT_FOUND = 404
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[a-z0-9.-]+(:[0-9]+)?$")]
"""A scheme and a host, and no more."""

QUOTED = frozenset("\"'\\")
"""Letters that would end a text within a vendor's own filter language."""


def listed(members: object, read: Callable[[object], Recommended | None], at_most: int) -> tuple[Recommended, ...]:
    """Return the items of a reply's list, no more than wanted and none twice; what has no id is left out.

    Raises `SourceGarbled` where it is not a list.
    """
    if not isinstance(members, list):
        raise SourceGarbled(PORT, "the items are not a list")
    found: dict[str, Recommended] = {}
    for item in map(read, members):
        if item is not None:
            found.setdefault(item.id, item)
    return tuple(found.values())[:at_most]


def item_id(found: object) -> str | None:
    """Read an id: a text or an integer, None for anything else."""
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        return None
    return str(found)


def number(found: object) -> float | None:
    """Read a score."""
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def text(found: object) -> str | None:
    """Read a text, None for anything else and for an empty one."""
    return found if isinstance(found, str) and found else None


def looked_up(query: ListQuery) -> Recommendations:
    """Answer a query for just some items: no vendor is asked, as the catalogue knows them."""
    return Recommendations(tuple(map(Recommended, query.to[: query.at_most])))


def by_turns(query: ListQuery, lists: Iterable[Sequence[Recommended]]) -> tuple[Recommended, ...]:
    """Make one list of those for each item that a query is about, without these items themselves."""
    merged = (item for item in blended([(1.0, items) for items in lists]) if item.id not in query.to)
    return tuple(merged)[: query.at_most]


def segments(ids: Iterable[str]) -> list[str]:
    """Return ids as segments of a path, in the one spelling that the client does not change (RFC 3986, `pchar`).

    Those are left out that would be no segment of their own: the empty one, and dots that lead elsewhere.
    """
    return [quote(each, safe="!$&'()*+,;=:@~") for each in ids if each not in ("", ".", "..")]


def is_quotable(value: str) -> bool:
    """Tell whether a text may stand between quotes in a vendor's filter: it may be a visitor's own."""
    return value.isprintable() and QUOTED.isdisjoint(value)
